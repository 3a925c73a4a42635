import type { BlobState } from '../domain/blob.ts';
import { ListingCursor, type ReadPage } from '../domain/listing-cursor.ts';
import { hasOtherHash, locate } from '../domain/locate.ts';
import { inListedOrder, isHeld, type ManifestPage, type ManifestPosition } from '../domain/manifest.ts';
import { NameOrder } from '../domain/name-order.ts';
import type { Outcome, ProblemCode } from '../domain/outcome.ts';
import type { PartEntry } from '../domain/run.ts';
import type { BlobAccount } from '../storage/blob-account.ts';
import type { ControlStore } from '../storage/control-store.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { listNamed, missingOrOther } from './restore-blob.ts';

/** Where the content of a restore point lies in the vault. */
export interface ContentPlace {
  account: BlobAccount;
  container: string;
  /** Put before a blob's own name. */
  prefix: string;
}

export interface WalkedPage {
  /** The blobs of the restore point, in the order of the listing. */
  entries: Outcome[];
  /** In place of each part that cannot be read: what it held cannot be named any more. */
  damaged: Outcome[];
}

/**
 * Walks the manifest of one container, page by page, beside the listing of its mirror with everything that is kept there. No
 * request per blob, unless the listing does not show it where it should be.
 */
export class ManifestWalk {
  readonly #control: ControlStore;
  readonly #pages: ManifestPage[];
  readonly #content: ContentPlace;
  readonly #order = new NameOrder();
  #page: number;
  #run: string | undefined;
  #vault: ListingCursor;
  #last: string | undefined;

  constructor(
    control: ControlStore,
    pages: ManifestPage[],
    content: ContentPlace,
    from: ManifestPosition = { page: 0 },
  ) {
    this.#control = control;
    this.#pages = pages;
    this.#content = content;
    this.#page = from.page;
    this.#run = pages[from.page]?.run;
    this.#vault = this.#listingFrom(from.vault);
  }

  /** Where to go on once the entries of the pages so far have been dealt with; undefined when there are no more. */
  get position(): ManifestPosition | undefined {
    const next = this.#pages[this.#page];
    if (next === undefined) return undefined;
    // The passes of retries begin at the first name again.
    return next.run === this.#pages[0]!.run ? { page: this.#page, vault: this.#vault.marker } : { page: this.#page };
  }

  async nextPage(): Promise<WalkedPage> {
    const page = this.#pages[this.#page++]!;
    const read = await this.#control.readManifest(page);
    const items = read.filter((part) => Array.isArray(part));
    const entries = inListedOrder(items, this.#order, page.run === this.#pages[0]!.run);
    const [first] = entries;
    // A retry's parts go over the names once more, and not always in one stretch.
    const goesBack = this.#last !== undefined && first && this.#order.compare(first.name, this.#last) < 0;
    if (page.run !== this.#run || goesBack) {
      this.#run = page.run;
      this.#vault = this.#listingFrom(undefined);
    }
    this.#last = entries.at(-1)?.name ?? this.#last;
    return {
      entries: entries.filter(isHeld),
      damaged: read.flatMap((part, index) =>
        Array.isArray(part) ? [] : damagedPart(page.parts[index]!, part.message),
      ),
    };
  }

  /** What holds an entry's content, or why nothing does. To be asked for entries in their order. */
  async locate(entry: Outcome): Promise<BlobState | ProblemCode> {
    const { account, container, prefix } = this.#content;
    const name = prefix + entry.name;
    let found = await this.#vault.takeAll(name);
    let holder = locate(entry, found);
    if (holder === undefined) {
      // Listings that are sorted differently, or cut between a blob and its snapshots, may have shown it elsewhere.
      found = await listNamed(account, container, name);
      holder = locate(entry, found);
    }
    if (holder === undefined) return missingOrOther(entry, found);
    return hasOtherHash(entry, holder) ? 'content-mismatch' : holder;
  }

  #listingFrom(marker: string | undefined): ListingCursor {
    const { account, container, prefix } = this.#content;
    return new ListingCursor(pagesOf(account, container, prefix), marker, this.#order);
  }
}

/** The outcome that stands for a part of a restore point that cannot be read. */
export function damagedPart({ path, copied, unchanged }: PartEntry, why: string): Outcome {
  const message = `${why}; ${copied + unchanged} blobs of the restore point cannot be named`;
  return { name: path, status: 'failed', etag: '', modified: '', size: 0, code: 'damaged', message };
}

function pagesOf(account: BlobAccount, container: string, prefix: string): ReadPage {
  const options = { prefix, metadata: true, contentHeaders: true, copy: true, kept: true };
  return async (marker) => {
    try {
      return await account.listBlobs(container, { ...options, ...(marker !== undefined && { marker }) });
    } catch (error) {
      // Everything in it is missing then, and is told so blob by blob.
      if (isStorageError(error, 'container-not-found')) return { blobs: [] };
      throw error;
    }
  };
}
