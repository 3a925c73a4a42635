import { serviceIdentity } from '#domain/service-identity.ts';
import type { AccountConnection } from '#storage/account-connection.ts';
import { type AppSettings, settingOf } from './app-settings.ts';

/**
 * Resolves the alias of an account: the app setting `VAULT` has a connection string, or `VAULT__blobServiceUri` has an
 * address for the identity of the app. Problems name settings, and never repeat their values.
 */
export function resolveAccount(
  alias: string,
  settings: AppSettings,
): { connection: AccountConnection } | { problems: string[] } {
  const setting = (suffix: string) => settingOf(settings, `${alias}__${suffix}`);
  const connectionString = settingOf(settings, alias);
  const blobServiceUri = setting('blobServiceUri');

  if (connectionString !== undefined && blobServiceUri !== undefined) {
    return {
      problems: [`the app settings "${alias}" and "${alias}__blobServiceUri" are both set; remove one of them`],
    };
  }
  if (connectionString !== undefined) {
    const problem = connectionStringProblem(connectionString);
    return problem
      ? { problems: [`the app setting "${alias}" ${problem}`] }
      : { connection: { alias, connectionString } };
  }
  if (blobServiceUri === undefined) {
    return {
      problems: [
        `the account "${alias}" has no app setting; add "${alias}" with a connection string, or ` +
          `"${alias}__blobServiceUri" with an address such as https://myaccount.blob.core.windows.net for the ` +
          `managed identity of the app (plus "${alias}__clientId" for a user-assigned one)`,
      ],
    };
  }

  const tableServiceUri = setting('tableServiceUri');
  const credential = setting('credential');
  const clientId = setting('clientId');
  const problems: string[] = [];
  for (const [name, uri] of [
    ['blobServiceUri', blobServiceUri],
    ['tableServiceUri', tableServiceUri],
  ] as const) {
    const problem = uri === undefined ? undefined : serviceUriProblem(uri);
    if (problem) problems.push(`the app setting "${alias}__${name}" ${problem}`);
  }
  if (credential !== undefined && credential.toLowerCase() !== 'managedidentity') {
    problems.push(`the app setting "${alias}__credential" must be "managedidentity"; change it or remove it`);
  }
  if (problems.length > 0) return { problems };
  return {
    connection: { alias, blobServiceUri, ...(tableServiceUri && { tableServiceUri }), ...(clientId && { clientId }) },
  };
}

/** Identifies the blob service of a connection: two connections to one service have equal texts. */
export function blobServiceIdentity(connection: AccountConnection): string {
  return serviceIdentity(
    'connectionString' in connection ? blobEndpointOf(connection.connectionString) : connection.blobServiceUri,
  );
}

/**
 * Explains to the author of the settings why the address of an account's tables is unknown; undefined if it is known.
 * If the address of the blobs contains `.blob.`, the address of the tables has `.table.` instead. A custom domain has
 * no such rule.
 */
export function tableServiceProblem(connection: AccountConnection): string | undefined {
  const { alias } = connection;
  const why =
    'a job backs up tables of this account, and Strongroom cannot derive their address from the address of the blobs';
  if (!('connectionString' in connection)) {
    const { blobServiceUri, tableServiceUri } = connection;
    if (tableServiceUri || namesBlobService(blobServiceUri)) return undefined;
    return (
      `${why}; add the app setting "${alias}__tableServiceUri", for example ` +
      'https://myaccount.table.core.windows.net'
    );
  }
  const parts = partsOf(connection.connectionString);
  const given = parts.get('blobendpoint');
  if (isDevelopment(parts) || parts.get('tableendpoint') || !given || namesBlobService(given)) return undefined;
  return (
    `${why}; add "TableEndpoint=…", for example https://myaccount.table.core.windows.net, to the connection string ` +
    `in the app setting "${alias}"`
  );
}

function namesBlobService(address: string): boolean {
  return new URL(address).hostname.includes('.blob.');
}

const DEVELOPMENT_ENDPOINT = 'http://127.0.0.1:10000/devstoreaccount1';

/** The parts by name, in lower case because names are case-insensitive. A value may contain `=`. */
function partsOf(connectionString: string): Map<string, string> {
  const parts = connectionString.split(';').map((part) => /^([^=]+)=(.*)$/s.exec(part.trim()));
  return new Map(parts.flatMap((part) => (part ? [[part[1]!.trim().toLowerCase(), part[2]!.trim()]] : [])));
}

function isDevelopment(parts: Map<string, string>): boolean {
  return parts.get('usedevelopmentstorage')?.toLowerCase() === 'true';
}

function blobEndpointOf(connectionString: string): string {
  const parts = partsOf(connectionString);
  if (isDevelopment(parts)) return DEVELOPMENT_ENDPOINT;
  const protocol = parts.get('defaultendpointsprotocol') || 'https';
  const suffix = parts.get('endpointsuffix') || 'core.windows.net';
  return parts.get('blobendpoint') || `${protocol}://${parts.get('accountname')}.blob.${suffix}`;
}

function connectionStringProblem(connectionString: string): string | undefined {
  const parts = partsOf(connectionString);
  if (isDevelopment(parts)) return undefined;
  const signed = Boolean(parts.get('sharedaccesssignature'));
  const names = { AccountName: 'accountname', AccountKey: 'accountkey' };
  // A connection string with a signature needs no key, and no name if it has an endpoint.
  const missing = Object.entries(names).filter(
    ([, name]) => !parts.get(name) && !(signed && (name === 'accountkey' || parts.get('blobendpoint'))),
  );
  if (missing.length > 0) {
    return (
      `is not a complete connection string: it lacks ${missing.map(([name]) => name).join(' and ')}; copy it from ` +
      'the access keys of the account'
    );
  }
  const accountName = parts.get('accountname');
  if (accountName && !/^[a-z0-9]{3,24}$/.test(accountName)) {
    return 'has an invalid AccountName: use 3 to 24 lower-case letters and digits';
  }
  if (!/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/.test(parts.get('accountkey') ?? '')) {
    return 'has an AccountKey that is not valid Base64; it may be incomplete, so copy it again';
  }
  if (!isPlainAddress(blobEndpointOf(connectionString))) {
    return 'has a blob endpoint that is not a plain http or https address';
  }
  const tableEndpoint = parts.get('tableendpoint');
  if (tableEndpoint && !isPlainAddress(tableEndpoint)) {
    return 'has a table endpoint that is not a plain http or https address';
  }
  return undefined;
}

function isPlainAddress(address: string): boolean {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && !url.search && !url.username;
}

function serviceUriProblem(uri: string): string | undefined {
  if (!URL.canParse(uri)) return 'is not an address; use an address such as https://myaccount.blob.core.windows.net';
  const url = new URL(uri);
  if (url.protocol !== 'https:') return 'must start with https://';
  if (url.search || url.hash || url.username || url.password) {
    return 'must be the plain address of the service, without query, signature or user name';
  }
  return undefined;
}
