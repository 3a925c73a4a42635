import {
  type AccountString,
  addressProblem,
  parseAccountString,
  signatureIn,
  tableAddressOf,
} from '#domain/account-string.ts';
import { nearest } from '#domain/input/nearest.ts';
import { accountNameIn, isSecondary, serviceIdentity } from '#domain/service-identity.ts';
import { type SasUse, sasLacks } from '#domain/shared-access-signature.ts';
import type { AccountConnection } from '#storage/account-connection.ts';
import { type AppSettings, settingOf } from './app-settings.ts';
import { isOfAzure, misspelledCloud } from './azure-clouds.ts';

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
    const problems = 'problems' in parsed ? parsed.problems : azureProblems(parsed.account);
    return problems.length > 0
      ? { problems: problems.map((problem) => `the app setting "${alias}" ${problem}`) }
      : { connection: { alias, connectionString } };
  }
  if (blobServiceUri === undefined) {
    return {
      problems: [
        `the account "${alias}" has no app setting; add "${alias}" with a connection string, or ` +
          `"${alias}__blobServiceUri" with an address such as https://myaccount.blob.core.windows.net for the ` +
          `managed identity of the app (plus "${alias}__clientId" for a user-assigned one)` +
          nearMiss(alias, settings),
      ],
    };
  }

  const tableServiceUri = setting('tableServiceUri');
  const clientId = setting('clientId');
  const accountName = setting('accountName');
  const problems = identityProblems(alias, setting).map(
    ([suffix, problem]) => `the app setting "${alias}__${suffix}" ${problem}`,
  );
  problems.push(...unknownSettings(alias, settings));
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

/** The ends of the names of an account's settings. */
const SUFFIXES = ['blobServiceUri', 'tableServiceUri', 'clientId', 'accountName', 'credential'] as const;
/**
 * A connection of queues, or one by which the Functions host signs in for a trigger, may have the same name, and these
 * settings of its own.
 */
const OF_HOST = ['queueServiceUri', 'serviceUri', 'tenantId', 'clientSecret', 'managedIdentityResourceId'] as const;

/** Settings that look like those of the account, and are none: names of settings are case-sensitive. */
function unknownSuffixes(alias: string, settings: AppSettings): { name: string; suffix: string }[] {
  const start = `${alias}__`;
  const known = new Set<string>([...SUFFIXES, ...OF_HOST].map((suffix) => start + suffix));
  return Object.keys(settings)
    .filter((name) => name.toLowerCase().startsWith(start.toLowerCase()) && !known.has(name))
    .filter((name) => settingOf(settings, name) !== undefined)
    .map((name) => ({ name, suffix: name.slice(start.length) }));
}

function nearMiss(alias: string, settings: AppSettings): string {
  for (const { name, suffix } of unknownSuffixes(alias, settings)) {
    const meant = nearest(suffix, SUFFIXES);
    if (meant !== undefined) return `; "${name}" is set, did you mean "${alias}__${meant}"?`;
  }
  const other = Object.keys(settings).find((name) => name !== alias && name.toLowerCase() === alias.toLowerCase());
  return other === undefined ? '' : `; "${other}" is set, did you mean "${alias}"?`;
}

function unknownSettings(alias: string, settings: AppSettings): string[] {
  // The Functions host has settings of its own for its storage.
  if (alias === 'AzureWebJobsStorage') return [];
  return unknownSuffixes(alias, settings).map(({ name, suffix }) => {
    const meant = nearest(suffix, SUFFIXES);
    const remedy = meant === undefined ? 'remove it' : `did you mean "${alias}__${meant}"? Otherwise remove it`;
    return `the app setting "${name}" is none that an account has; ${remedy}`;
  });
}

/** What is wrong with the settings of an account for an identity: the end of the name of each, and its mistake. */
function identityProblems(
  alias: string,
  setting: (suffix: string) => string | undefined,
): [suffix: string, problem: string][] {
  const [blobs, tables] = [setting('blobServiceUri')!, setting('tableServiceUri')];
  const [credential, accountName, clientId] = [setting('credential'), setting('accountName'), setting('clientId')];
  const ofBlobs = serviceUriProblem(blobs, 'blob');
  const ofTables = tables === undefined ? undefined : serviceUriProblem(tables, 'table');
  const account = ofBlobs === undefined ? accountNameIn(blobs) : undefined;
  const isName = accountName === undefined || /^[a-z0-9]{3,24}$/.test(accountName);
  const other = tables === undefined || ofTables ? undefined : accountNameIn(tables.replace('.table.', '.blob.'));
  const found: [string, string | false | undefined][] = [
    ['blobServiceUri', ofBlobs],
    ['tableServiceUri', ofTables],
    [
      'tableServiceUri',
      account !== undefined &&
        other !== undefined &&
        account !== other &&
        `is the address of another account than "${alias}__blobServiceUri"; correct it or remove it`,
    ],
    [
      'credential',
      credential !== undefined &&
        credential.toLowerCase() !== 'managedidentity' &&
        'must be "managedidentity"; change it or remove it',
    ],
    ['accountName', !isName && 'must be 3 to 24 lower-case letters and digits'],
    [
      'accountName',
      isName &&
        accountName !== undefined &&
        account !== undefined &&
        account !== accountName &&
        `is another account than that of "${alias}__blobServiceUri"; correct it or remove it`,
    ],
    ['clientId', clientId !== undefined && !IS_CLIENT_ID.test(clientId) && CLIENT_ID],
    ['blobServiceUri', !ofBlobs && accountName === undefined && account === undefined && noName(alias)],
  ];
  return found.flatMap(([suffix, problem]) => (problem ? [[suffix, problem] as [string, string]] : []));
}

const IS_CLIENT_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const CLIENT_ID =
  'is not the client id of an identity, such as 11111111-2222-3333-4444-555555555555; copy it from the identity';

function noName(alias: string): string {
  return (
    'has an address that does not show the name of the account, which signs read access with an identity; add ' +
    `"${alias}__accountName"`
  );
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

/** Explains why an account cannot be written to; undefined if it may be possible. */
export function secondaryProblem(connection: AccountConnection): string | undefined {
  const addresses =
    'connectionString' in connection
      ? [parsed(connection.connectionString).blobEndpoint, parsed(connection.connectionString).tableEndpoint]
      : [connection.blobServiceUri, connection.tableServiceUri];
  if (!addresses.some((address) => address !== undefined && isSecondary(address))) return undefined;
  return (
    `the app setting "${connection.alias}" has the address of a secondary region ("-secondary"), which is read-only; ` +
    'use the address of the account itself; if its primary region is lost, start a failover of the account first'
  );
}

/**
 * Explains what the signature of an account lacks for what it is used for; undefined if it lacks nothing. The
 * connection string may have other mistakes.
 */
export function sasProblem(alias: string, settings: AppSettings, use: SasUse): string | undefined {
  const connectionString = settingOf(settings, alias);
  const sas = connectionString === undefined ? undefined : signatureIn(connectionString);
  const lacks = sas === undefined ? [] : sasLacks(sas, use);
  if (lacks.length === 0) return undefined;
  const [what, remedy] =
    use.role === 'vault'
      ? ['the vault', ' with ss=bt, srt=sco and sp=rwlacut']
      : ['an account that is read', use.listsContainers ? ' of the account, with srt=sco, or name each container' : ''];
  return (
    `the app setting "${alias}" has a SharedAccessSignature that does not cover ${lacks.join(' and ')}, ` +
    `which ${what} needs; create a new one${remedy}`
  );
}

/** Every key of Azure has 512 bits. An emulator takes keys of any length. */
const KEY_BYTES = 64;

/** What cannot be right in a connection string for Azure, if each part of it may be. */
function azureProblems({ blobEndpoint, tableEndpoint, accountKey }: AccountString): string[] {
  const meant = [blobEndpoint, ...(tableEndpoint === undefined ? [] : [tableEndpoint])].map(misspelledCloud);
  const cloud = meant.find((each) => each !== undefined);
  if (cloud !== undefined) return [`has an address that ends almost in "${cloud}", but not quite; correct it`];
  if (accountKey === undefined || !isOfAzure(blobEndpoint)) return [];
  const length = Buffer.from(accountKey, 'base64').length;
  if (length === KEY_BYTES) return [];
  return [
    `has an AccountKey of ${length} bytes, and every key of Azure Storage has ${KEY_BYTES} (88 characters); ` +
      'copy it again from the access keys of the account',
  ];
}

/** A connection string that has been checked. */
function parsed(connectionString: string) {
  const result = parseAccountString(connectionString);
  if ('problems' in result) throw new Error('The connection string was not checked');
  return result.account;
}

/** What is wrong with the address of a service for an identity, in words that follow the name of its setting. */
export function serviceUriProblem(uri: string, service: 'blob' | 'table' | 'queue'): string | undefined {
  if (!URL.canParse(uri)) {
    return `is not an address; use an address such as https://myaccount.${service}.core.windows.net`;
  }
  const url = new URL(uri);
  if (url.protocol !== 'https:') return 'must start with https://';
  if (url.search || url.hash || url.username || url.password) {
    return 'must be the plain address of the service, without query, signature or user name';
  }
  const problem = addressProblem(uri, service);
  if (problem !== undefined) return problem;
  const cloud = misspelledCloud(uri);
  return cloud && `ends almost in "${cloud}", but not quite; correct it`;
}
