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
  /** Stores the time up to which the container has been scanned. */
  records: HostContainer;
  /** Blobs per call of `scanPage`. */
  limit: number;
  /** Receives every new or changed blob, and some others. Returns false if it could not process all of them. */
  found(blobs: FoundBlob[]): Promise<boolean>;
}

/** The largest page that the service lists. */
const LARGEST_PAGE = 5_000;

/** Finds new blobs by listing a container over and over, one page per call, as the real host does. */
export class ContainerScan {
  readonly #options: ScanOptions;
  /** In milliseconds. The scan has found every blob that was last modified before this time. */
  #scannedTo: number | undefined;
  #newest = 0;
  #complete = true;
  #next: string | undefined;

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  /** Lists one page. A container that does not exist has no blobs. */
  async scanPage(): Promise<void> {
    this.#scannedTo ??= await this.#storedTime();
    const items = await this.#page();
    if (items === undefined) return;
    const scannedTo = this.#scannedTo;
    const times = items.map(({ properties }) => properties.lastModified.getTime());
    this.#newest = Math.max(this.#newest, ...times);
    // Times are in whole seconds, so the newest second may have got more blobs since.
    const blobs = items.filter((_item, index) => (times[index] ?? 0) >= scannedTo).map(foundBlob);
    if (blobs.length > 0 && !(await this.#options.found(blobs))) this.#complete = false;
    if (this.#next !== undefined) return;
    // If a blob could not be processed, the next scan must find it again.
    if (this.#complete && this.#newest > scannedTo) {
      await this.#options.records.write(this.#record, JSON.stringify({ LatestScan: new Date(this.#newest - 1) }));
      this.#scannedTo = this.#newest;
    }
    this.#newest = 0;
    this.#complete = true;
  }

  async #page(): Promise<BlobItem[] | undefined> {
    const { container, limit } = this.#options;
    const page = { maxPageSize: Math.min(limit, LARGEST_PAGE), ...(this.#next && { continuationToken: this.#next }) };
    try {
      const { value } = await container.listBlobsFlat().byPage(page).next();
      this.#next = value?.continuationToken || undefined;
      return value?.segment.blobItems ?? [];
    } catch (error) {
      // Start over: the continuation token may be the cause.
      this.#next = undefined;
      this.#newest = 0;
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #storedTime(): Promise<number> {
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
