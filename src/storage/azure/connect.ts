import { CATALOG_TABLE } from '#domain/tables/table-name.ts';
import type { AccountConnection } from '../account-connection.ts';
import type { BlobAccount } from '../blob-account.ts';
import type { Catalog } from '../catalog.ts';
import type { TableAccount } from '../table-account.ts';
import { resolveAccess } from './account-access.ts';
import { AzureBlobAccount } from './blobs/azure-blob-account.ts';
import { DEFAULT_RETRIES, type RetryOptions } from './retry-policy.ts';
import { AzureCatalog } from './tables/azure-catalog.ts';
import { AzureTableAccount } from './tables/azure-table-account.ts';

/** Sends no request. Throws `StorageError` (`invalid`) for an incomplete connection. */
export function connectBlobAccount(connection: AccountConnection, retries: Partial<RetryOptions> = {}): BlobAccount {
  return new AzureBlobAccount(resolveAccess(connection), { ...DEFAULT_RETRIES, ...retries });
}

/** Sends no request. Throws like `connectBlobAccount`. */
export function connectTableAccount(connection: AccountConnection, retries: Partial<RetryOptions> = {}): TableAccount {
  return new AzureTableAccount(resolveAccess(connection), { ...DEFAULT_RETRIES, ...retries });
}

/** Sends no request; the first `put` creates the table. Throws like `connectBlobAccount`. */
export function connectCatalog(
  connection: AccountConnection,
  tableName = CATALOG_TABLE,
  retries: Partial<RetryOptions> = {},
): Catalog {
  return new AzureCatalog(resolveAccess(connection), tableName, { ...DEFAULT_RETRIES, ...retries });
}
