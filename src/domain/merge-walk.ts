import type { BlobState } from './blob.ts';
import { NameOrder } from './name-order.ts';

/** One page of a listing; `marker` is what asks for it again, `next` what asks for the page after it. */
export interface ListingPage {
  blobs: BlobState[];
  next?: string | undefined;
}

export type ReadPage = (marker: string | undefined) => Promise<ListingPage>;

export interface Pair {
  source: BlobState;
  /** The blob of the same name in the mirror, if the walk met one. */
  mirror: BlobState | undefined;
}

/** Where a walk can be taken up again: the next source page, and the mirror page the walk stands in. */
export interface WalkPosition {
  source?: string | undefined;
  mirror?: string | undefined;
}

/**
 * Walks two listings side by side, a source page at a time, and pairs the blobs of equal names. Memory holds two
 * pages of each side whatever their length. Every source blob is met exactly once, whatever the order of the listings.
 */
export class MergeWalk {
  readonly order = new NameOrder();
  readonly #readSource: ReadPage;
  readonly #mirror: MirrorCursor;
  readonly #mirrorName: (name: string) => string;
  #next: string | undefined;
  #done = false;
  #ahead: { marker: string; page: Promise<ListingPage> } | undefined;
  #last: string | undefined;

  constructor(
    readSource: ReadPage,
    readMirror: ReadPage,
    options: { from?: WalkPosition | undefined; mirrorName?: (name: string) => string } = {},
  ) {
    this.#readSource = readSource;
    this.#mirrorName = options.mirrorName ?? ((name) => name);
    this.#mirror = new MirrorCursor(readMirror, options.from?.mirror, this.order);
    this.#next = options.from?.source;
  }

  /** Where to go on after the pairs taken so far; undefined once every source blob has been met. */
  get position(): WalkPosition | undefined {
    return this.#done ? undefined : { source: this.#next, mirror: this.#mirror.marker };
  }

  /**
   * The pairs of the next source page, perhaps none. `readAhead` starts on the page after it at once: say no when the
   * walk will stop here.
   */
  async nextPairs(readAhead: (listed: number) => boolean = () => true): Promise<Pair[]> {
    if (this.#done) return [];
    // After a failure half way through a page, that page is read again, not the one after it.
    const arriving = this.#ahead?.marker === this.#next ? this.#ahead?.page : undefined;
    this.#ahead = undefined;
    const [page] = await Promise.all([arriving ?? this.#readSource(this.#next), this.#mirror.load()]);
    if (page.next !== undefined && readAhead(page.blobs.length)) {
      this.#ahead = { marker: page.next, page: this.#readSource(page.next) };
      // A failure shows when the page is asked for; until then nobody listens.
      this.#ahead.page.catch(() => {});
    }
    const names = page.blobs.map(({ name }) => this.#mirrorName(name));
    const last = observeAll(this.order, this.#last, names);
    const pairs: Pair[] = [];
    for (const [index, source] of page.blobs.entries()) {
      const name = names[index]!;
      while (this.#mirror.isBefore(name)) {
        if (!this.#mirror.step()) await this.#mirror.load();
      }
      pairs.push({ source, mirror: this.#mirror.take(name) });
    }
    this.#last = last;
    this.#next = page.next;
    this.#done = page.next === undefined;
    return pairs;
  }
}

/** Stands at one blob of the mirror's listing and only ever moves forward. */
class MirrorCursor {
  /** Asks for the page the cursor stands in. */
  marker: string | undefined;
  readonly #read: ReadPage;
  readonly #order: NameOrder;
  #blobs: BlobState[] = [];
  #index = 0;
  #next: string | undefined;
  #state: 'unread' | 'reading' | 'end' = 'unread';
  #last: string | undefined;

  constructor(read: ReadPage, marker: string | undefined, order: NameOrder) {
    this.#read = read;
    this.marker = marker;
    this.#order = order;
  }

  /** Makes sure that there is a blob to look at, unless the listing has ended. */
  async load(): Promise<void> {
    while (this.#index >= this.#blobs.length && this.#state !== 'end') {
      if (this.#state === 'reading') {
        if (this.#next === undefined) {
          this.#state = 'end';
          return;
        }
        this.marker = this.#next;
      }
      const page = await this.#read(this.marker);
      this.#state = 'reading';
      this.#blobs = page.blobs;
      this.#last = observeAll(
        this.#order,
        this.#last,
        page.blobs.map((blob) => blob.name),
      );
      this.#index = 0;
      this.#next = page.next;
    }
  }

  isBefore(name: string): boolean {
    const blob = this.#blobs[this.#index];
    if (blob === undefined) return this.#state !== 'end';
    return blob.name !== name && this.#order.compare(blob.name, name) < 0;
  }

  /** Moves on by one; false when another page has to be loaded first. */
  step(): boolean {
    if (this.#index < this.#blobs.length) this.#index++;
    return this.#index < this.#blobs.length;
  }

  take(name: string): BlobState | undefined {
    const blob = this.#blobs[this.#index];
    return blob?.name === name ? blob : undefined;
  }
}

/** A whole page at once, before any of its names is compared: what it tells of the order then holds for all of them. */
function observeAll(order: NameOrder, last: string | undefined, names: string[]): string | undefined {
  let previous = last;
  for (const name of names) {
    if (previous !== undefined) order.observe(previous, name);
    previous = name;
  }
  return previous;
}
