import type { QueueConnection } from '../account-connection.ts';
import type { QueueProbe } from '../account-probe.ts';
import { isStorageError, StorageError } from '../storage-error.ts';
import { storageErrorOf } from './errors.ts';
import { identityCredential } from './identity.ts';
import { ownerOf, STORAGE_SCOPE } from './token-owner.ts';

/** Sends no request. `alias` is the name of the connection, for messages; `timeout` is in milliseconds. */
export function connectQueueProbe(alias: string, connection: QueueConnection, timeout: number): QueueProbe {
  const credential = 'connectionString' in connection ? undefined : identityCredential(connection);
  const ask = async <T>(action: string, send: () => Promise<T>, container?: string): Promise<T> => {
    try {
      return await send();
    } catch (error) {
      const failure = storageErrorOf(error, { action, alias, ...(container !== undefined && { container }) });
      if (!isStorageError(failure, 'not-found')) throw failure;
      throw new StorageError('container-not-found', failure.message, failure.status, failure.code);
    }
  };
  return {
    connection,
    peek: (queue) =>
      ask(
        'look at the messages of',
        async () => {
          const client = (await queues(connection, credential)).getQueueClient(queue);
          await client.peekMessages({ numberOfMessages: 1, abortSignal: AbortSignal.timeout(timeout) });
        },
        queue,
      ),
    identity: () => ask('get a token for', async () => credential && ownerOf(await credential.getToken(STORAGE_SCOPE))),
  };
}

/** Loaded only for the first question: no run needs it. */
async function queues(connection: QueueConnection, credential: ReturnType<typeof identityCredential> | undefined) {
  const { newPipeline, QueueServiceClient } = await import('@azure/storage-queue');
  const options = { retryOptions: { maxTries: 1 } };
  if ('connectionString' in connection) {
    return QueueServiceClient.fromConnectionString(connection.connectionString, options);
  }
  return new QueueServiceClient(connection.queueServiceUri, newPipeline(credential, options));
}
