import { messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { encodeMessage } from '../queues/message-text.ts';
import type { QueueSignals } from '../queues/queue-signals.ts';
import type { StorageQueue } from '../queues/storage-queue.ts';
import { isNotFound } from '../storage/error-code.ts';
import { blobContent, blobMetadata } from './blob-data.ts';
import type { BlobFunction } from './blob-function.ts';
import { type BlobType, type BlobVersion, fromBlobMessage, quotedETag, toBlobMessage } from './blob-message.ts';
import type { Receipts } from './blob-receipts.ts';
import type { FoundBlob } from './container-scan.ts';

/** Versions that are enqueued at the same time. */
const AT_ONCE = 8;

/** Brings each version of a blob to its functions: enqueues it once, and calls the function for its queue message. */
export class BlobDispatch {
  readonly #functions: Map<string, BlobFunction>;
  readonly #queue: StorageQueue;
  readonly #receipts: Receipts;
  readonly #signals: QueueSignals;
  readonly #enqueuing = new Map<string, Promise<void>>();
  /** By container, the versions that the last scan found and enqueued. A scan finds the newest ones again. */
  readonly #lastFound = new Map<string, Set<string>>();

  constructor(functions: BlobFunction[], queue: StorageQueue, receipts: Receipts, signals: QueueSignals) {
    this.#functions = new Map(functions.map((one) => [one.id, one]));
    this.#queue = queue;
    this.#receipts = receipts;
    this.#signals = signals;
  }

  function(id: string): BlobFunction | undefined {
    return this.#functions.get(id);
  }

  /** Enqueues new versions for each listening function. Returns false if one of them could not be enqueued. */
  async found(listeners: BlobFunction[], container: string, blobs: FoundBlob[]): Promise<boolean> {
    const key = `${listeners[0]?.connection}/${container}`;
    const before = this.#lastFound.get(key) ?? new Set();
    const now = new Set<string>();
    const versions = blobs.flatMap(({ name, etag, blobType }) =>
      listeners
        .filter(({ path }) => path.match(name) !== undefined)
        .map(({ id }): BlobVersion => ({ functionId: id, blobType, container, blob: name, etag })),
    );
    let complete = true;
    const rest = versions.values();
    const work = async () => {
      for (const version of rest) {
        const text = toBlobMessage(version);
        try {
          if (!before.has(text)) await this.#enqueueOnce(version);
          now.add(text);
        } catch (error) {
          if (complete) {
            const blob = `${container}/${version.blob}`;
            writeLog('error', `Cannot enqueue blob "${blob}". The host retries at the next scan: ${messageOf(error)}`);
          }
          complete = false;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.#lastFound.set(key, now);
    return complete;
  }

  /** Enqueues a version, even if it was enqueued before. */
  async enqueue(version: BlobVersion): Promise<void> {
    await this.#queue.put(encodeMessage(toBlobMessage(version), 'base64'));
    this.#signals.messageAdded(this.#queue.name);
  }

  /** Processes a message of the queue. Rejects if the queue must retry it. */
  async handle(text: string): Promise<void> {
    const version = fromBlobMessage(text);
    const one = this.#functions.get(version?.functionId ?? '');
    if (version === undefined || one === undefined) {
      writeLog('warning', `Queue "${this.#queue.name}": skipped a message for a function that the app does not have.`);
      return;
    }
    await this.#call(one, version);
  }

  /** Calls a function for the blob at a path, `container/name`. */
  async callFor(one: BlobFunction, path: string): Promise<void> {
    const [, container = '', blob = ''] = /^([^/]+)\/(.+)$/s.exec(path) ?? [];
    if (blob === '') throw new Error(`"${path}" is not the path of a blob. Use "container/name".`);
    await this.#call(one, { container, blob });
  }

  /** Enqueues a version unless it was enqueued before. Concurrent calls for one version share the work. */
  #enqueueOnce(version: BlobVersion): Promise<void> {
    const key = toBlobMessage(version);
    const running = this.#enqueuing.get(key);
    if (running !== undefined) return running;
    const enqueuing = this.#enqueueWithReceipt(version).finally(() => this.#enqueuing.delete(key));
    this.#enqueuing.set(key, enqueuing);
    return enqueuing;
  }

  async #enqueueWithReceipt(version: BlobVersion): Promise<void> {
    if (!(await this.#receipts.begin(version))) return;
    await this.enqueue(version);
    await this.#receipts.complete(version);
  }

  async #call(one: BlobFunction, { container, blob, etag }: { container: string; blob: string; etag?: string }) {
    const client = one.blobs.getContainerClient(container).getBlobClient(blob);
    // The client resolves dot segments and replaces backslashes: its address would be that of another blob.
    if (client.containerName !== container || client.name !== blob) {
      writeLog('warning', `Skipped blob "${container}/${blob}": no request can have this name.`);
      return;
    }
    let properties: Awaited<ReturnType<typeof client.getProperties>>;
    try {
      properties = await client.getProperties();
    } catch (error) {
      // The blob has been deleted since.
      if (isNotFound(error) && etag !== undefined) return;
      throw error;
    }
    const current = quotedETag(properties.etag ?? '');
    if (one.scans && etag !== undefined && etag !== current) {
      // The blob has been overwritten since. The current version gets a message of its own.
      const blobType = (properties.blobType ?? 'BlockBlob') as BlobType;
      const { id: functionId } = one;
      await this.#enqueueOnce({ functionId, blobType, container, blob, etag: current });
      return;
    }
    const content = await blobContent(client, properties);
    await one.hosted.invoke(content, blobMetadata(client, properties, one.path.match(blob) ?? {}));
  }
}
