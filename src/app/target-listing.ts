import type { BlobState } from '#domain/blobs/blob.ts';
import { ListingCursor, type ReadPage } from '#domain/blobs/listing-cursor.ts';
import { NameOrder } from '#domain/blobs/name-order.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { contentPages } from './manifest-walk.ts';
import type { RestorePlaces } from './restore-places.ts';

/** The listing of the target, with tags if the app may read them: they only show which blobs are the same already. */
export class TargetListing {
  readonly #pages: (startsWith: string, tags: boolean) => ReadPage;
  readonly #startsWith: string;
  readonly #prefix: string;
  #readsTags = true;
  readonly #create: () => Promise<unknown>;
  #isMissing = false;

  /** `create` makes the container. */
  constructor(
    { target, destination, targetPrefix }: Pick<RestorePlaces, 'target' | 'destination' | 'targetPrefix'>,
    startsWith: string,
    create: () => Promise<unknown>,
  ) {
    this.#prefix = targetPrefix;
    this.#startsWith = startsWith;
    this.#create = create;
    this.#pages = (prefix, tags) => contentPages(target, destination, { prefix, ...(tags && { tags }) });
  }

  /** Whether the container is known to be missing. */
  get isMissing(): boolean {
    return this.#isMissing;
  }

  read(marker: string | undefined): ReturnType<ReadPage> {
    return this.#read(this.#prefix + this.#startsWith, marker);
  }

  /** The blob of one name in the restore point. */
  async find(name: string): Promise<BlobState | undefined> {
    const own = this.#prefix + name;
    const cursor = new ListingCursor((marker) => this.#read(own, marker), undefined, new NameOrder());
    return (await cursor.takeAll(own)).find(({ snapshotOrVersion }) => !snapshotOrVersion);
  }

  async #read(prefix: string, marker: string | undefined): ReturnType<ReadPage> {
    try {
      if (this.#readsTags) {
        try {
          return await this.#pages(prefix, true)(marker);
        } catch (error) {
          if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
          this.#readsTags = false;
        }
      }
      return await this.#pages(prefix, false)(marker);
    } catch (error) {
      if (!isStorageError(error, 'container-not-found')) throw error;
      this.#isMissing = true;
      return { blobs: [] };
    }
  }

  /** Creates the container if it is missing: here once, and not by each copy that would find it missing. */
  async ensure(): Promise<void> {
    if (!this.#isMissing) return;
    await this.#create();
    this.#isMissing = false;
  }
}
