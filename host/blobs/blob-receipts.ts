import { createHash } from 'node:crypto';
import type { BlobVersion } from './blob-message.ts';
import type { HostContainer } from './host-container.ts';

const INCOMPLETE = 'Incomplete';

/**
 * Records the blob versions that the host has enqueued for each function, in the form of the real host. The real host
 * also takes a lease against other hosts; here, there is only one host.
 */
export class Receipts {
  readonly #container: HostContainer;
  readonly #hostId: string;

  constructor(container: HostContainer, hostId: string) {
    this.#container = container;
    this.#hostId = hostId;
  }

  /** Records that the host is going to enqueue a version. Returns false if it has been enqueued before. */
  async begin(version: BlobVersion): Promise<boolean> {
    const name = this.#nameOf(version);
    if (await this.#container.create(name, { [INCOMPLETE]: INCOMPLETE })) return true;
    // An incomplete receipt is from a host that was killed, perhaps before it enqueued the version.
    const metadata = (await this.#container.metadata(name)) ?? {};
    return Object.keys(metadata).some((key) => key.toLowerCase() === INCOMPLETE.toLowerCase());
  }

  async complete(version: BlobVersion): Promise<void> {
    await this.#container.setMetadata(this.#nameOf(version), {});
  }

  #nameOf({ functionId, etag, container, blob }: BlobVersion): string {
    return `blobreceipts/${this.#hostId}/${functionId}/${etag}/${safePath(`${container}/${blob}`)}`;
  }
}

const LONGEST = 500;

/**
 * The path of a blob in the name of a receipt. Anyone who uploads chooses the name of a blob: one with dot segments
 * would put the receipt into another container, and a long one would make a name that no blob can have.
 */
function safePath(path: string): string {
  const isPlain =
    path.length <= LONGEST && path.split('/').every((segment) => /^[\w$~-][\w ~.-]*(?<![ .])$/.test(segment));
  return isPlain ? path : createHash('sha256').update(path).digest('hex');
}
