import type { TokenCredential } from '@azure/identity';
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
  | { kind: 'identity'; credential: TokenCredential };

const EMULATOR =
  'AccountName=devstoreaccount1;' +
  'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;' +
  'BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;' +
  'TableEndpoint=http://127.0.0.1:10002/devstoreaccount1';

/**
 * Throws `StorageError` (`invalid`) if the connection is incomplete. The message never contains the connection string.
 */
export function resolveAccess(connection: AccountConnection): AccountAccess {
  const { alias } = connection;
  if (!('connectionString' in connection)) {
    const blobEndpoint = endpointOf(alias, connection.blobServiceUri);
    const tableEndpoint = connection.tableServiceUri ?? tableAddress(blobEndpoint);
    return {
      ...{ alias, blobEndpoint },
      ...(tableEndpoint !== undefined && { tableEndpoint: endpointOf(alias, tableEndpoint) }),
      by: { kind: 'identity', credential: identityCredential(connection) },
    };
  }
  const parts = partsOf(connection.connectionString);
  const service = (name: 'blob' | 'table', explicit: string | undefined) => {
    if (explicit) return endpointOf(alias, explicit);
    const account = parts.get('accountname');
    if (!account) throw invalid(alias, `its connection string names neither an account nor a ${name} endpoint`);
    const protocol = parts.get('defaultendpointsprotocol') ?? 'https';
    return endpointOf(alias, `${protocol}://${account}.${name}.${parts.get('endpointsuffix') ?? 'core.windows.net'}`);
  };
  const given = parts.get('blobendpoint');
  const tables = parts.get('tableendpoint') || (given && tableAddress(given));
  return {
    alias,
    blobEndpoint: service('blob', given),
    ...((tables || !given) && { tableEndpoint: service('table', tables) }),
    by: methodOf(alias, parts),
  };
}

function tableAddress(blobEndpoint: string): string | undefined {
  return blobEndpoint.includes('.blob.') ? blobEndpoint.replace('.blob.', '.table.') : undefined;
}

function methodOf(alias: string, parts: Map<string, string>): AccessMethod {
  const sas = parts.get('sharedaccesssignature');
  if (sas) return { kind: 'sas', sas: sas.replace(/^\?/, '') };
  const accountName = parts.get('accountname');
  const accountKey = parts.get('accountkey');
  if (!accountName || !accountKey) {
    throw invalid(alias, 'its connection string has neither AccountName and AccountKey nor SharedAccessSignature');
  }
  return { kind: 'key', accountName, accountKey };
}

/** Names are case-insensitive, and values may contain `=`. */
function partsOf(connectionString: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const piece of connectionString.split(';')) {
    const cut = piece.indexOf('=');
    if (cut > 0) parts.set(piece.slice(0, cut).trim().toLowerCase(), piece.slice(cut + 1).trim());
  }
  return parts.get('usedevelopmentstorage')?.toLowerCase() === 'true' ? partsOf(EMULATOR) : parts;
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
