import type { TokenCredential } from '@azure/identity';
import type { BlobServiceClient } from '@azure/storage-blob';
import type { QueueServiceClient } from '@azure/storage-queue';
import { HostError } from '../host-error.ts';

/** Short: whoever polls does so again anyway, and a message that could not be deleted comes back. */
const RETRIES = { retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 } };

type Service = 'blob' | 'queue';

/**
 * The queue service of a connection: the app setting of that name holds a connection string, or `NAME__queueServiceUri`
 * or `NAME__accountName` says where it is, for the identity of this machine. Sends nothing. `where` begins the error.
 */
export async function connectQueues(connection: string, where: string): Promise<QueueServiceClient> {
  const found = addressOf(connection, 'queue', where);
  // Loaded only where a function needs it.
  const { QueueServiceClient } = await import('@azure/storage-queue');
  return 'uri' in found
    ? new QueueServiceClient(found.uri, credentialOf(connection), RETRIES)
    : understood(() => QueueServiceClient.fromConnectionString(found.connectionString, RETRIES), connection, where);
}

/** The blob service of a connection, as `connectQueues`. */
export async function connectBlobs(connection: string, where: string): Promise<BlobServiceClient> {
  const found = addressOf(connection, 'blob', where);
  const { BlobServiceClient } = await import('@azure/storage-blob');
  return 'uri' in found
    ? new BlobServiceClient(found.uri, credentialOf(connection), RETRIES)
    : understood(() => BlobServiceClient.fromConnectionString(found.connectionString, RETRIES), connection, where);
}

function addressOf(
  connection: string,
  service: Service,
  where: string,
): { connectionString: string } | { uri: string } {
  const connectionString = setting(connection);
  if (connectionString !== undefined) return { connectionString };
  const accountName = setting(`${connection}__accountName`);
  const uri =
    setting(`${connection}__${service}ServiceUri`) ??
    (accountName === undefined ? undefined : `https://${accountName}.${service}.core.windows.net`);
  const example = `https://myaccount.${service}.core.windows.net`;
  if (uri === undefined) {
    throw new HostError(
      `${where} needs the storage account "${connection}", and no app setting says how to reach its ${service}s. Set "${connection}" (a connection string), or "${connection}__${service}ServiceUri" (such as ${example}, used with the identity of this machine).`,
    );
  }
  if (!/^https?:$/.test(URL.parse(uri)?.protocol ?? '')) {
    throw new HostError(`The app setting "${connection}__${service}ServiceUri" is not an address such as ${example}.`);
  }
  return { uri };
}

function understood<T>(connect: () => T, connection: string, where: string): T {
  try {
    return connect();
  } catch {
    // What the SDK says of it may repeat what the setting holds, which is a secret.
    throw new HostError(
      `${where} needs the storage account "${connection}", but the app setting of that name is not a whole connection string. Copy it from the account's access keys.`,
    );
  }
}

/** @azure/identity is slow to load, so it is loaded for the first token. */
function credentialOf(connection: string): TokenCredential {
  const clientId = setting(`${connection}__clientId`);
  const managed = setting(`${connection}__credential`)?.toLowerCase() === 'managedidentity';
  let loading: Promise<TokenCredential> | undefined;
  const load = async (): Promise<TokenCredential> => {
    const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
    if (clientId !== undefined) return new ManagedIdentityCredential({ clientId });
    return managed ? new ManagedIdentityCredential() : new DefaultAzureCredential();
  };
  return {
    async getToken(scopes, options) {
      loading ??= load();
      return (await loading).getToken(scopes, options);
    },
  };
}

function setting(name: string): string | undefined {
  return process.env[name]?.trim() || undefined;
}
