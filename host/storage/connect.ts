import type { TokenCredential } from '@azure/identity';
import type { Pipeline as BlobPipeline, BlobServiceClient, RequestPolicyFactory } from '@azure/storage-blob';
import type { Pipeline as QueuePipeline, QueueServiceClient } from '@azure/storage-queue';
import { HostError } from '../host-error.ts';

/** Short, since every caller retries: workers keep polling, and the queue delivers an undeleted message again. */
const RETRIES = { retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2_000 } };

/**
 * The SDK asks for the newest version that it knows. Clouds that get it later refuse every such request, so this asks
 * for an older one. The signing comes after this, since the signature covers it.
 */
const VERSION: RequestPolicyFactory = {
  create: (next) => ({
    sendRequest(request) {
      request.headers.set('x-ms-version', '2021-12-02');
      return next.sendRequest(request);
    },
  }),
};

type Service = 'blob' | 'queue';

/**
 * The queue service of a connection. The app setting of that name has a connection string, or `NAME__queueServiceUri`
 * or `NAME__accountName` has the address, and the host uses the identity of this machine. Sends no request. Errors
 * start with `where`.
 */
export async function connectQueues(connection: string, where: string): Promise<QueueServiceClient> {
  const found = addressOf(connection, 'queue', where);
  // Loaded only if a function needs it.
  const { newPipeline, QueueServiceClient } = await import('@azure/storage-queue');
  const client = (url: string, credential: Parameters<typeof newPipeline>[0]) =>
    new QueueServiceClient(url, versioned(newPipeline(credential, RETRIES)));
  if ('uri' in found) return client(found.uri, credentialOf(connection));
  const made = parsed(() => QueueServiceClient.fromConnectionString(found.connectionString), connection, where);
  // biome-ignore lint/complexity/useLiteralKeys: the SDK protects it, and parses connection strings nowhere else
  return client(made.url, made['credential']);
}

/** The blob service of a connection; see `connectQueues`. */
export async function connectBlobs(connection: string, where: string): Promise<BlobServiceClient> {
  const found = addressOf(connection, 'blob', where);
  const { BlobServiceClient, newPipeline } = await import('@azure/storage-blob');
  const client = (url: string, credential: Parameters<typeof newPipeline>[0]) =>
    new BlobServiceClient(url, versioned(newPipeline(credential, RETRIES)));
  if ('uri' in found) return client(found.uri, credentialOf(connection));
  const made = parsed(() => BlobServiceClient.fromConnectionString(found.connectionString), connection, where);
  return client(made.url, made.credential);
}

function versioned<T extends BlobPipeline | QueuePipeline>(pipeline: T): T {
  pipeline.factories.push(VERSION);
  return pipeline;
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
      `${where} needs the storage account "${connection}", but no app setting has its connection string or address. ` +
        `Set "${connection}" (a connection string) or "${connection}__${service}ServiceUri" (such as ${example}, to ` +
        'use the identity of this machine).',
    );
  }
  if (!/^https?:$/.test(URL.parse(uri)?.protocol ?? '')) {
    throw new HostError(`The app setting "${connection}__${service}ServiceUri" is not an address such as ${example}.`);
  }
  return { uri };
}

function parsed<T>(connect: () => T, connection: string, where: string): T {
  try {
    return connect();
  } catch {
    // The SDK's message may repeat the value of the setting, which is a secret.
    throw new HostError(
      `${where} needs the storage account "${connection}", but the app setting of that name is not a complete ` +
        "connection string. Copy it from the account's access keys.",
    );
  }
}

/** Loads @azure/identity for the first token only, since the package is slow to load. */
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
  // As in Azure, two underscores stand for a colon.
  return process.env[name.replaceAll(':', '__')]?.trim() || process.env[name]?.trim() || undefined;
}
