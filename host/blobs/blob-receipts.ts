import type { BlobVersion } from './blob-message.ts';
import type { HostContainer } from './host-container.ts';

const INCOMPLETE = 'Incomplete';

/**
 * Which versions of which blobs have been put into the queue, for each function, as the real host notes it. Without the
 * lease that keeps several hosts apart there: here there is one.
 */
export class Receipts {
  readonly #container: HostContainer;
  readonly #hostId: string;

  constructor(container: HostContainer, hostId: string) {
    this.#container = container;
    this.#hostId = hostId;
  }

  /** Says that a version is about to be put into the queue; `false` when that is done already. */
  async begin(version: BlobVersion): Promise<boolean> {
    const name = this.#nameOf(version);
    if (await this.#container.create(name, { [INCOMPLETE]: INCOMPLETE })) return true;
    // One that is not complete is of a host that was killed just then, maybe before the version was in the queue.
    const metadata = (await this.#container.metadata(name)) ?? {};
    return Object.keys(metadata).some((key) => key.toLowerCase() === INCOMPLETE.toLowerCase());
  }

  async complete(version: BlobVersion): Promise<void> {
    await this.#container.setMetadata(this.#nameOf(version), {});
  }

  // The ETag comes before the names, as a blob's name may hold anything.
  #nameOf({ functionId, etag, container, blob }: BlobVersion): string {
    return `blobreceipts/${this.#hostId}/${functionId}/${etag}/${container}/${blob}`;
  }
}
