import { messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { encodeMessage } from '../queues/message-text.ts';
import type { QueueBell } from '../queues/queue-bell.ts';
import type { StorageQueue } from '../queues/storage-queue.ts';
import { isNotFound } from '../storage/error-code.ts';
import { blobContent, blobMetadata } from './blob-data.ts';
import type { BlobFunction } from './blob-function.ts';
import { type BlobType, type BlobVersion, fromBlobMessage, quotedETag, toBlobMessage } from './blob-message.ts';
import type { Receipts } from './blob-receipts.ts';
import type { FoundBlob } from './container-scan.ts';

/** Versions put into the queue at once. */
const AT_ONCE = 8;

/** The way of a blob's version to its functions: found, put into the queue of the host once, taken from there, called. */
export class BlobDispatch {
  readonly #functions: Map<string, BlobFunction>;
  readonly #queue: StorageQueue;
  readonly #receipts: Receipts;
  readonly #bell: QueueBell;
  readonly #noting = new Map<string, Promise<void>>();
  /** By container: what was found and noted when it was looked at last. It is found again while it is the newest. */
  readonly #noted = new Map<string, Set<string>>();

  constructor(functions: BlobFunction[], queue: StorageQueue, receipts: Receipts, bell: QueueBell) {
    this.#functions = new Map(functions.map((one) => [one.id, one]));
    this.#queue = queue;
    this.#receipts = receipts;
    this.#bell = bell;
  }

  function(id: string): BlobFunction | undefined {
    return this.#functions.get(id);
  }

  /** Puts versions into the queue that are not there yet, for every function that listens; `false` when one could not be. */
  async found(listeners: BlobFunction[], container: string, blobs: FoundBlob[]): Promise<boolean> {
    const key = `${listeners[0]?.connection}/${container}`;
    const before = this.#noted.get(key) ?? new Set();
    const now = new Set<string>();
    const versions = blobs.flatMap(({ name, etag, blobType }) =>
      listeners
        .filter(({ path }) => path.match(name) !== undefined)
        .map(({ id }): BlobVersion => ({ functionId: id, blobType, container, blob: name, etag })),
    );
    let well = true;
    const rest = versions.values();
    const work = async () => {
      for (const version of rest) {
        const text = toBlobMessage(version);
        try {
          if (!before.has(text)) await this.#note(version);
          now.add(text);
        } catch (error) {
          if (well) writeLog('error', `Blob "${container}/${version.blob}" is not noted yet: ${messageOf(error)}`);
          well = false;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.#noted.set(key, now);
    return well;
  }

  /** Puts a version into the queue unconditionally. */
  async enqueue(version: BlobVersion): Promise<void> {
    await this.#queue.put(encodeMessage(toBlobMessage(version), 'base64'));
    this.#bell.ring(this.#queue.name);
  }

  /** Works off a message of the queue. Rejects where it is to be tried again. */
  async handle(text: string): Promise<void> {
    const version = fromBlobMessage(text);
    const one = this.#functions.get(version?.functionId ?? '');
    if (version === undefined || one === undefined) {
      writeLog('warning', `Queue "${this.#queue.name}": a message for a function that is not here is left out.`);
      return;
    }
    await this.#call(one, version);
  }

  /** Calls a function with a blob by its path, `container/name`. */
  async callByHand(one: BlobFunction, path: string): Promise<void> {
    const [, container = '', blob = ''] = /^([^/]+)\/(.+)$/s.exec(path) ?? [];
    if (blob === '') throw new Error(`"${path}" is not the path of a blob, as in "container/name".`);
    await this.#call(one, { container, blob });
  }

  /** Puts a version into the queue that is not there yet. Two that would do so at the same time do it together. */
  #note(version: BlobVersion): Promise<void> {
    const key = toBlobMessage(version);
    const already = this.#noting.get(key);
    if (already !== undefined) return already;
    const noting = this.#noteAlone(version).finally(() => this.#noting.delete(key));
    this.#noting.set(key, noting);
    return noting;
  }

  async #noteAlone(version: BlobVersion): Promise<void> {
    if (!(await this.#receipts.begin(version))) return;
    await this.enqueue(version);
    await this.#receipts.complete(version);
  }

  async #call(one: BlobFunction, { container, blob, etag }: { container: string; blob: string; etag?: string }) {
    const client = one.blobs.getContainerClient(container).getBlobClient(blob);
    let properties: Awaited<ReturnType<typeof client.getProperties>>;
    try {
      properties = await client.getProperties();
    } catch (error) {
      // Deleted since: there is nothing to call a function with.
      if (isNotFound(error) && etag !== undefined) return;
      throw error;
    }
    const current = quotedETag(properties.etag ?? '');
    if (one.scans && etag !== undefined && etag !== current) {
      // Overwritten since: the version that is there now has a message of its own, if need be from here.
      const blobType = (properties.blobType ?? 'BlockBlob') as BlobType;
      const { id: functionId } = one;
      await this.#note({ functionId, blobType, container, blob, etag: current });
      return;
    }
    const content = await blobContent(client, properties);
    await one.hosted.invoke(content, blobMetadata(client, properties, one.path.match(blob) ?? {}));
  }
}
