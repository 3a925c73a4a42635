import type { BlobItem, ContainerClient } from '@azure/storage-blob';
import { isNotFound } from '../storage/error-code.ts';
import { type BlobType, quotedETag } from './blob-message.ts';
import type { HostContainer } from './host-container.ts';

export interface FoundBlob {
  name: string;
  etag: string;
  blobType: BlobType;
}

export interface ScanOptions {
  container: ContainerClient;
  hostId: string;
  /** Where it is kept up to when the container was looked through. */
  records: HostContainer;
  /** Blobs listed at one look. */
  limit: number;
  /** Is told of every blob that is new or changed, and of some that are not. Whether it went well. */
  found(blobs: FoundBlob[]): Promise<boolean>;
}

/** The service lists no more at once. */
const LARGEST_PAGE = 5_000;

/** Finds new blobs of a container by listing it again and again, a page at each look, as the real host does it. */
export class ContainerScan {
  readonly #options: ScanOptions;
  /** Times are in milliseconds. Everything last modified before this has been found. */
  #upTo: number | undefined;
  #newest = 0;
  #well = true;
  #next: string | undefined;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  /** Lists one page; rejects when it cannot. A container that is not there has no blobs. */
  async look(): Promise<void> {
    this.#upTo ??= await this.#kept();
    const items = await this.#page();
    if (items === undefined) return;
    const upTo = this.#upTo;
    const times = items.map(({ properties }) => properties.lastModified.getTime());
    this.#newest = Math.max(this.#newest, ...times);
    // Times are in whole seconds, so more may have come within the last one that was seen.
    const blobs = items.filter((_item, index) => (times[index] ?? 0) >= upTo).map(foundBlob);
    if (blobs.length > 0 && !(await this.#options.found(blobs))) this.#well = false;
    if (this.#next !== undefined) return;
    // What could not be noted must be found again at the next time round.
    if (this.#well && this.#newest > upTo) {
      await this.#options.records.write(this.#record, JSON.stringify({ LatestScan: new Date(this.#newest - 1) }));
      this.#upTo = this.#newest;
    }
    this.#newest = 0;
    this.#well = true;
  }

  async #page(): Promise<BlobItem[] | undefined> {
    const { container, limit } = this.#options;
    const page = { maxPageSize: Math.min(limit, LARGEST_PAGE), ...(this.#next && { continuationToken: this.#next }) };
    try {
      const { value } = await container.listBlobsFlat().byPage(page).next();
      this.#next = value?.continuationToken || undefined;
      return value?.segment.blobItems ?? [];
    } catch (error) {
      // From the beginning: the place to go on from may be what it cannot do.
      this.#next = undefined;
      this.#newest = 0;
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #kept(): Promise<number> {
    const text = await this.#options.records.read(this.#record);
    try {
      const { LatestScan } = JSON.parse(text ?? '{}') as { LatestScan?: string };
      return LatestScan === undefined ? 0 : Date.parse(LatestScan) || 0;
    } catch {
      return 0;
    }
  }

  get #record(): string {
    const { hostId, container } = this.#options;
    return `blobscaninfo/${hostId}/${container.accountName}/${container.containerName}/scanInfo`;
  }
}

function foundBlob({ name, properties }: BlobItem): FoundBlob {
  return { name, etag: quotedETag(properties.etag), blobType: properties.blobType ?? 'BlockBlob' };
}
