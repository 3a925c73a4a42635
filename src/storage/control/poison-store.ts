import { isPoison, isPoisonLine, type Poison, type PoisonLine, poisonLine } from '#domain/archive/poison.ts';
import { poisonPath } from '#domain/archive/receipt-path.ts';
import { asciiJson } from '#domain/run/tally.ts';
import { StorageError } from '../storage-error.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import type { ControlContainer } from './control-container.ts';
import { listedLine } from './listed-line.ts';

/** Metadata of an entry: what a listing needs. */
const LINE_KEY = 'strongroom_poison';

/** An entry in a listing. */
export interface ListedPoison extends PoisonLine {
  path: string;
  /** ETag of the entry itself. */
  entryEtag: string;
}

export interface PoisonPage {
  entries: ListedPoison[];
  next?: string;
}

/**
 * The uploads of one rule that failed permanently. The store marks settled entries instead of deleting them, since an
 * archive rule needs no right to delete. Throws `StorageError` and nothing else.
 */
export class PoisonStore {
  readonly #control: ControlContainer;
  readonly #folder: string;

  constructor(control: ControlContainer, rule: string) {
    this.#control = control;
    this.#folder = poisonPath(rule);
  }

  async read(id: string): Promise<Poison | undefined> {
    return (await this.#read(id))?.value;
  }

  /** Changes an entry by compare-and-swap. `change` gets the current entry and may return undefined to leave it. */
  async change(id: string, change: (before: Poison | undefined) => Poison | undefined): Promise<void> {
    const done = await compareAndSwap(async () => {
      const found = await this.#read(id);
      const next = change(found?.value);
      if (!next) return true;
      const metadata = { [LINE_KEY]: asciiJson(poisonLine(next)) };
      const expect = found ? { ifMatch: found.etag } : 'absent';
      return (await this.#control.writeJson(this.#pathOf(id), next, expect, metadata)) || undefined;
    });
    if (!done) throw new StorageError('precondition', `Other writers keep changing ${this.#pathOf(id)}`);
  }

  /** One page (at most 5,000) of the open or the settled entries. An empty page may not be the last. */
  async list(state: Poison['state'], options: { marker?: string; limit?: number } = {}): Promise<PoisonPage> {
    const page = await this.#control.list({ prefix: this.#folder, metadata: true, ...options });
    const entries = page.blobs.flatMap(({ name, etag, metadata }): ListedPoison[] => {
      const line = listedLine(metadata?.[LINE_KEY], isPoisonLine);
      return line?.state === state ? [{ ...line, path: name, entryEtag: etag }] : [];
    });
    return { entries, ...(page.next !== undefined && { next: page.next }) };
  }

  /** All entries, page by page. */
  async *listAll(state: Poison['state']): AsyncGenerator<ListedPoison> {
    let marker: string | undefined;
    do {
      const page = await this.list(state, marker === undefined ? {} : { marker });
      yield* page.entries;
      marker = page.next;
    } while (marker !== undefined);
  }

  /** The number of open entries. One request per 5,000 entries, open or settled. */
  async countOpen(): Promise<number> {
    let count = 0;
    for await (const _ of this.listAll('open')) count++;
    return count;
  }

  async #read(id: string): Promise<{ value: Poison | undefined; etag: string } | undefined> {
    const found = await this.#control.read(this.#pathOf(id));
    return found && { etag: found.etag, value: isPoison(found.value) ? found.value : undefined };
  }

  #pathOf(id: string): string {
    return `${this.#folder}${id}.json`;
  }
}
