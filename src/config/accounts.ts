import { addressProblem, parseAccountString, tableAddressOf } from '#domain/account-string.ts';
import { accountNameIn, serviceIdentity } from '#domain/service-identity.ts';
import { type SasRole, sasLacks } from '#domain/shared-access-signature.ts';
import type { AccountConnection } from '#storage/account-connection.ts';
import { type AppSettings, settingOf } from './app-settings.ts';

/**
 * Resolves the alias of an account: the app setting `VAULT` has a connection string, or `VAULT__blobServiceUri` has an
 * address for the identity of the app. Problems name settings, and never repeat their values.
 */
export function resolveAccount(
  alias: string,
  settings: AppSettings,
  now = new Date(),
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
    const parsed = parseAccountString(connectionString, now);
    return 'problems' in parsed
      ? { problems: parsed.problems.map((problem) => `the app setting "${alias}" ${problem}`) }
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
  const accountName = setting('accountName');
  const problems: string[] = [];
  for (const [name, uri] of [
    ['blobServiceUri', blobServiceUri],
    ['tableServiceUri', tableServiceUri],
  ] as const) {
    const problem =
      uri === undefined ? undefined : serviceUriProblem(uri, name === 'blobServiceUri' ? 'blob' : 'table');
    if (problem) problems.push(`the app setting "${alias}__${name}" ${problem}`);
  }
  if (credential !== undefined && credential.toLowerCase() !== 'managedidentity') {
    problems.push(`the app setting "${alias}__credential" must be "managedidentity"; change it or remove it`);
  }
  if (accountName !== undefined && !/^[a-z0-9]{3,24}$/.test(accountName)) {
    problems.push(`the app setting "${alias}__accountName" must be 3 to 24 lower-case letters and digits`);
  }
  if (problems.length === 0 && accountName === undefined && accountNameIn(blobServiceUri) === undefined) {
    problems.push(
      `the address in the app setting "${alias}__blobServiceUri" does not show the name of the account, which signs ` +
        `read access with an identity; add "${alias}__accountName"`,
    );
  }
  if (problems.length > 0) return { problems };
  return {
    connection: {
      ...{ alias, blobServiceUri },
      ...(tableServiceUri && { tableServiceUri }),
      ...(accountName && { accountName }),
      ...(clientId && { clientId }),
    },
  };
}

/** Identifies the blob service of a connection: two connections to one service have equal texts. */
export function blobServiceIdentity(connection: AccountConnection): string {
  return serviceIdentity(
    'connectionString' in connection ? parsed(connection.connectionString).blobEndpoint : connection.blobServiceUri,
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
    if (tableServiceUri || tableAddressOf(blobServiceUri) !== undefined) return undefined;
    return (
      `${why}; add the app setting "${alias}__tableServiceUri", for example ` +
      'https://myaccount.table.core.windows.net'
    );
  }
  if (parsed(connection.connectionString).tableEndpoint !== undefined) return undefined;
  return (
    `${why}; add "TableEndpoint=…", for example https://myaccount.table.core.windows.net, to the connection string ` +
    `in the app setting "${alias}"`
  );
}

/** Explains what the signature of an account lacks for what it is used for; undefined if it lacks nothing. */
export function sasProblem(connection: AccountConnection, role: SasRole): string | undefined {
  const sas = 'connectionString' in connection ? parsed(connection.connectionString).sas : undefined;
  const lacks = sas === undefined ? [] : sasLacks(sas, role);
  if (lacks.length === 0) return undefined;
  const use = role === 'vault' ? 'the vault' : 'an account that is read';
  return (
    `the app setting "${connection.alias}" has a SharedAccessSignature that does not cover ${lacks.join(' and ')}, ` +
    `which ${use} needs; create a new one`
  );
}

/** A connection string that has been checked. */
function parsed(connectionString: string) {
  const result = parseAccountString(connectionString);
  if ('problems' in result) throw new Error('The connection string was not checked');
  return result.account;
}

function serviceUriProblem(uri: string, service: 'blob' | 'table'): string | undefined {
  if (!URL.canParse(uri)) return 'is not an address; use an address such as https://myaccount.blob.core.windows.net';
  const url = new URL(uri);
  if (url.protocol !== 'https:') return 'must start with https://';
  if (url.search || url.hash || url.username || url.password) {
    return 'must be the plain address of the service, without query, signature or user name';
  }
  return addressProblem(uri, service);
}
