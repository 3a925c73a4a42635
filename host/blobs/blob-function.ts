import type { BlobServiceClient } from '@azure/storage-blob';
import { HostError } from '../host-error.ts';
import { StorageQueue } from '../queues/storage-queue.ts';
import { readWithSettings } from '../settings/app-settings.ts';
import { connectBlobs, connectQueues } from '../storage/connect.ts';
import { connectionOf } from '../storage/connection-name.ts';
import type { HostedFunction } from '../triggers/trigger.ts';
import { functionIdOf } from './blob-message.ts';
import { type BlobPath, parseBlobPath } from './blob-path.ts';

/** A function with a blob trigger, and the blobs that it listens to. */
export interface BlobFunction {
  id: string;
  hosted: HostedFunction;
  path: BlobPath;
  connection: string;
  blobs: BlobServiceClient;
  /** Whether the host scans the container for new blobs. Otherwise Event Grid sends events. */
  scans: boolean;
  /** The queue for blobs that failed permanently; as in Azure, in the account of the blobs. */
  poison: StorageQueue;
}

const POISON = 'webjobs-blobtrigger-poison';

export async function blobFunction(hosted: HostedFunction): Promise<BlobFunction> {
  const where = `Blob function "${hosted.name}"`;
  const { path, source = 'LogsAndContainerScan' } = hosted.trigger;
  if (typeof path !== 'string') throw new HostError(`${where} has no path.`);
  if (source !== 'LogsAndContainerScan' && source !== 'EventGrid') {
    throw new HostError(`${where} has the source "${source}"; it must be "LogsAndContainerScan" or "EventGrid".`);
  }
  const connection = connectionOf(hosted);
  return {
    id: functionIdOf(hosted.name),
    hosted,
    path: readWithSettings(path, where, (value) => parseBlobPath(value, where)),
    connection,
    blobs: await connectBlobs(connection, where),
    scans: source === 'LogsAndContainerScan',
    poison: new StorageQueue(await connectQueues(connection, where), POISON),
  };
}
