import {
  AzureNamedKeyCredential,
  AzureSASCredential,
  TableClient,
  type TableServiceClientOptions,
} from '@azure/data-tables';
import { StorageError } from '../../storage-error.ts';
import type { AccountAccess } from '../account-access.ts';
import { TABLE_VERSION } from '../service-version.ts';

/**
 * The SDK's client for one table, with the account's method of authentication. Throws `invalid` if the account has no
 * known table service.
 */
export function tableClient(access: AccountAccess, tableName: string, options: TableServiceClientOptions): TableClient {
  const { alias, by, tableEndpoint } = access;
  if (tableEndpoint === undefined) {
    throw new StorageError('invalid', `The connection of account "${alias}" does not name its table service.`);
  }
  const all: TableServiceClientOptions = {
    allowInsecureConnection: tableEndpoint.startsWith('http:'),
    userAgentOptions: { userAgentPrefix: 'strongroom' },
    version: TABLE_VERSION,
    ...options,
  };
  switch (by.kind) {
    case 'key':
      return new TableClient(tableEndpoint, tableName, new AzureNamedKeyCredential(by.accountName, by.accountKey), all);
    case 'sas':
      return new TableClient(tableEndpoint, tableName, new AzureSASCredential(by.sas), all);
    case 'identity':
      return new TableClient(tableEndpoint, tableName, by.credential, all);
  }
}
