import { setTimeout as sleep } from 'node:timers/promises';
import { BlobDispatch } from '../blobs/blob-dispatch.ts';
import { type BlobFunction, blobFunction } from '../blobs/blob-function.ts';
import { fromBlobMessage } from '../blobs/blob-message.ts';
import { Receipts } from '../blobs/blob-receipts.ts';
import { ContainerScan } from '../blobs/container-scan.ts';
import { eventGridHandler } from '../blobs/event-grid-handler.ts';
import { HostContainer } from '../blobs/host-container.ts';
import { messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { OutageLog } from '../outage-log.ts';
import { decodeMessage } from '../queues/message-text.ts';
import { QueueWorker } from '../queues/queue-worker.ts';
import { StorageQueue } from '../queues/storage-queue.ts';
import type { BlobSettings, QueueSettings } from '../settings/host-settings.ts';
import { connectBlobs, connectQueues } from '../storage/connect.ts';
import { OWN_STORAGE } from '../storage/connection-name.ts';
import type { HostedFunction, Listener, TriggerHost } from './trigger.ts';

/** Blobs per scan interval, of all containers together. */
const BLOBS_PER_INTERVAL = 10_000;
const LARGEST_BATCH = 32;

export async function blobListener(hosted: HostedFunction[], host: TriggerHost): Promise<Listener> {
  const [first] = hosted;
  if (first === undefined) return {};
  const { hostId, settings, signals } = host;
  const where = `Blob function "${first.name}"`;
  const records = new HostContainer(await connectBlobs(OWN_STORAGE, where));
  const queue = new StorageQueue(await connectQueues(OWN_STORAGE, where), `azure-webjobs-blobtrigger-${hostId}`);
  const functions = await Promise.all(hosted.map(blobFunction));
  const dispatch = new BlobDispatch(functions, queue, new Receipts(records, hostId), signals);
  const worker = new QueueWorker({
    queue,
    settings: queueSettings(settings.blobs),
    signals,
    createsQueue: true,
    handle: (_message, text) => dispatch.handle(text),
    poisonFor({ content }) {
      const id = fromBlobMessage(decodeMessage(content, 'base64') ?? '')?.functionId;
      return (dispatch.function(id ?? '') ?? functions[0])?.poison;
    },
  });
  const stopped = new AbortController();
  const scans = scansOf(functions, dispatch, records, host);
  let scanning: Promise<unknown> = Promise.resolve();
  const manual = new Set<Promise<void>>();

  return {
    http: eventGridHandler(dispatch, () => stopped.signal.aborted),
    start() {
      worker.start();
      scanning = Promise.all(scans.map((scan) => scanUntilStopped(scan, settings.blobs.scanInterval, stopped.signal)));
    },
    fire(name, input) {
      const one = functions.find((other) => other.hosted.name === name);
      if (one === undefined || stopped.signal.aborted) return false;
      const fired: Promise<void> = dispatch
        .callFor(one, String(input ?? ''))
        .catch((error: unknown) => writeLog('error', `Blob function "${name}" failed: ${messageOf(error)}`))
        .finally(() => manual.delete(fired));
      manual.add(fired);
      return true;
    },
    async stop() {
      stopped.abort();
      await Promise.all([scanning, worker.stop(), ...manual]);
    },
  };
}

interface Scan {
  name: string;
  scanPage(): Promise<void>;
}

/** One scan per container, even if several functions listen to it. */
function scansOf(functions: BlobFunction[], dispatch: BlobDispatch, records: HostContainer, host: TriggerHost): Scan[] {
  const groups = Object.values(
    Object.groupBy(
      functions.filter(({ scans }) => scans),
      ({ connection, path }) => `${connection}/${path.container}`,
    ),
  );
  return groups.flatMap((listeners = []) => {
    const [first] = listeners;
    if (first === undefined) return [];
    const { container } = first.path;
    const scan = new ContainerScan({
      container: first.blobs.getContainerClient(container),
      hostId: host.hostId,
      records,
      limit: Math.max(1, Math.floor(BLOBS_PER_INTERVAL / groups.length)),
      found: (blobs) => dispatch.found(listeners, container, blobs),
    });
    return { name: container, scanPage: () => scan.scanPage() };
  });
}

async function scanUntilStopped({ name, scanPage }: Scan, interval: number, stopped: AbortSignal): Promise<void> {
  const outage = new OutageLog();
  while (!stopped.aborted) {
    try {
      await scanPage();
      outage.ended(`The scan of container "${name}" works again.`);
    } catch (error) {
      const reason = messageOf(error);
      outage.started('error', `Cannot scan container "${name}". The host keeps retrying: ${reason}`);
    }
    await sleep(interval, undefined, { signal: stopped }).catch(() => undefined);
  }
}

/** Derives batches from the concurrency limit as the real host does. */
function queueSettings({ maxDegreeOfParallelism, poisonBlobThreshold }: BlobSettings): QueueSettings {
  const batchSize = Math.min(LARGEST_BATCH, Math.floor(maxDegreeOfParallelism / 2) + 1);
  return {
    batchSize,
    newBatchThreshold: Math.max(0, maxDegreeOfParallelism - batchSize),
    maxDequeueCount: poisonBlobThreshold,
    visibilityTimeout: 0,
    maxPollingInterval: 60_000,
    messageEncoding: 'base64',
  };
}
