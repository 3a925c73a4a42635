import {
  AzureNamedKeyCredential,
  AzureSASCredential,
  TableClient,
  type TableServiceClientOptions,
} from '@azure/data-tables';
import type { AccountAccess } from '../account-access.ts';

/** The SDK's client for one table, with the account's method of authentication. */
export function tableClient(access: AccountAccess, tableName: string, options: TableServiceClientOptions): TableClient {
  const { by, tableEndpoint } = access;
  const all: TableServiceClientOptions = {
    allowInsecureConnection: tableEndpoint.startsWith('http:'),
    userAgentOptions: { userAgentPrefix: 'strongroom' },
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
