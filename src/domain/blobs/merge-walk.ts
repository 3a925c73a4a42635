import type { BlobState } from './blob.ts';
import { ListingCursor, type ListingPage, observeAll, type ReadPage } from './listing-cursor.ts';
import { NameOrder } from './name-order.ts';

export interface Pair {
  source: BlobState;
  /** The blob with this name in the second listing, if it has one. */
  beside: BlobState | undefined;
}

/** Where a walk can resume: the next page of the source, and the current page of the second listing. */
export interface WalkPosition {
  source?: string | undefined;
  beside?: string | undefined;
}

/**
 * Walks the listing of a source and a second listing in parallel, one source page at a time, and pairs blobs of equal
 * names. Memory has two pages of each listing, however long they are. The walk returns every source blob exactly once,
 * for any order of the listings. In an unexpected order, it may miss blobs of the second listing.
 */
export class MergeWalk {
  readonly order = new NameOrder();
  readonly #readSource: ReadPage;
  readonly #beside: ListingCursor;
  readonly #nameBeside: (name: string) => string;
  #next: string | undefined;
  #done = false;
  #ahead: { marker: string; page: Promise<ListingPage> } | undefined;
  #last: string | undefined;

  constructor(
    readSource: ReadPage,
    readBeside: ReadPage,
    options: { from?: WalkPosition | undefined; nameBeside?: (name: string) => string } = {},
  ) {
    this.#readSource = readSource;
    this.#nameBeside = options.nameBeside ?? ((name) => name);
    this.#beside = new ListingCursor(readBeside, options.from?.beside, this.order);
    this.#next = options.from?.source;
  }

  /** Where to resume after the pairs so far; undefined when all source blobs were returned. */
  get position(): WalkPosition | undefined {
    return this.#done ? undefined : { source: this.#next, beside: this.#beside.marker };
  }

  /**
   * The pairs of the next source page, which may be empty. If `readAhead` returns true, the walk requests the page
   * after it at once; return false if the walk will stop here.
   */
  async nextPairs(readAhead: (listed: number) => boolean = () => true): Promise<Pair[]> {
    if (this.#done) return [];
    // After a failure in the middle of a page, the walk reads that page again, not the one after it.
    const arriving = this.#ahead?.marker === this.#next ? this.#ahead?.page : undefined;
    this.#ahead = undefined;
    const [page] = await Promise.all([arriving ?? this.#readSource(this.#next), this.#beside.load()]);
    if (page.next !== undefined && readAhead(page.blobs.length)) {
      this.#ahead = { marker: page.next, page: this.#readSource(page.next) };
      // The failure shows when the page is awaited; until then, nothing handles it.
      this.#ahead.page.catch(() => {});
    }
    const names = page.blobs.map(({ name }) => this.#nameBeside(name));
    const last = observeAll(this.order, this.#last, names);
    const pairs: Pair[] = [];
    for (const [index, source] of page.blobs.entries()) {
      const name = names[index]!;
      while (this.#beside.isBefore(name)) {
        if (!this.#beside.step()) await this.#beside.load();
      }
      pairs.push({ source, beside: this.#beside.take(name) });
    }
    this.#last = last;
    this.#next = page.next;
    this.#done = page.next === undefined;
    return pairs;
  }
}
