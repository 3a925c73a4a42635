import type { TokenCredential } from '@azure/identity';
import { type AccountString, parseAccountString, tableAddressOf } from '#domain/account-string.ts';
import { accountNameIn } from '#domain/service-identity.ts';
import type { AccountConnection } from '../account-connection.ts';
import { StorageError } from '../storage-error.ts';
import { identityCredential } from './identity.ts';

/** The resolved form of a connection: two addresses and one method of authentication. */
export interface AccountAccess {
  alias: string;
  /** Without a trailing slash and without query. */
  blobEndpoint: string;
  /** Absent if the connection names none, and the address of the blobs does not show it. */
  tableEndpoint?: string;
  by: AccessMethod;
}

export type AccessMethod =
  | { kind: 'key'; accountName: string; accountKey: string }
  /** The query of a shared access signature, without `?`. Secret. */
  | { kind: 'sas'; sas: string }
  /** The name signs read access to copy sources; '' if it is unknown. */
  | { kind: 'identity'; credential: TokenCredential; accountName: string };

/**
 * Throws `StorageError` (`invalid`) if the connection is incomplete. The message never contains the connection string.
 */
export function resolveAccess(connection: AccountConnection): AccountAccess {
  const { alias } = connection;
  if ('connectionString' in connection) {
    const parsed = parseAccountString(connection.connectionString);
    if ('problems' in parsed) throw invalid(alias, `its connection string ${parsed.problems.join('; it ')}`);
    const { blobEndpoint, tableEndpoint } = parsed.account;
    const by = methodOf(parsed.account);
    return { alias, blobEndpoint, ...(tableEndpoint !== undefined && { tableEndpoint }), by };
  }
  const blobEndpoint = endpointOf(alias, connection.blobServiceUri);
  const tableEndpoint = connection.tableServiceUri ?? tableAddressOf(blobEndpoint);
  const accountName = connection.accountName ?? accountNameIn(blobEndpoint) ?? '';
  return {
    ...{ alias, blobEndpoint },
    ...(tableEndpoint !== undefined && { tableEndpoint: endpointOf(alias, tableEndpoint) }),
    by: { kind: 'identity', credential: identityCredential(connection), accountName },
  };
}

function methodOf({ accountName = '', accountKey = '', sas }: AccountString): AccessMethod {
  return sas === undefined ? { kind: 'key', accountName, accountKey } : { kind: 'sas', sas };
}

function endpointOf(alias: string, address: string): string {
  if (!URL.canParse(address)) throw invalid(alias, 'one of its service addresses is not a URL');
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw invalid(alias, 'its addresses must be http or https');
  if (url.search || url.username) throw invalid(alias, 'its addresses must not carry a query or credentials');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function invalid(alias: string, why: string): StorageError {
  return new StorageError('invalid', `Cannot connect to storage account "${alias}": ${why}.`);
}
