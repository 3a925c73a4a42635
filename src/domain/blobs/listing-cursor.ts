import type { BlobState } from './blob.ts';
import type { NameOrder } from './name-order.ts';

/** One page of a listing. `marker` requests it again, `next` requests the page after it. */
export interface ListingPage {
  blobs: BlobState[];
  next?: string | undefined;
}

export type ReadPage = (marker: string | undefined) => Promise<ListingPage>;

/** Stands at one blob of a listing and only moves forward. Memory has one page. */
export class ListingCursor {
  /** Requests the cursor's current page. */
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

  /** Loads pages until there is a blob, or the listing has ended. */
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

  /** Moves on by one; false if another page has to be loaded first. */
  step(): boolean {
    if (this.#index < this.#blobs.length) this.#index++;
    return this.#index < this.#blobs.length;
  }

  take(name: string): BlobState | undefined {
    const blob = this.#blobs[this.#index];
    return blob?.name === name ? blob : undefined;
  }

  /** Everything listed under this name: a blob, its snapshots and its versions. Steps over everything before it. */
  async takeAll(name: string): Promise<BlobState[]> {
    await this.load();
    while (this.isBefore(name)) {
      if (!this.step()) await this.load();
    }
    const taken: BlobState[] = [];
    for (let blob = this.take(name); blob !== undefined; blob = this.take(name)) {
      taken.push(blob);
      // They may continue on the next page.
      if (!this.step()) await this.load();
    }
    return taken;
  }
}

/** Observes a whole page before any of its names is compared: what it shows of the order holds for all of them. */
export function observeAll(order: NameOrder, last: string | undefined, names: string[]): string | undefined {
  let previous = last;
  for (const name of names) {
    // A blob, its snapshots and its versions share one name.
    if (previous !== undefined && previous !== name) order.observe(previous, name);
    previous = name;
  }
  return previous;
}
