import { isPoison, isPoisonLine, type Poison, type PoisonLine, poisonLine } from '#domain/archive/poison.ts';
import { poisonPath } from '#domain/archive/receipt-path.ts';
import { asciiJson } from '#domain/run/tally.ts';
import { StorageError } from '../storage-error.ts';
import type { ControlStore } from './control-store.ts';

/** In the metadata of an entry, what a listing has to tell of it. */
const LINE_KEY = 'strongroom_poison';

/** An entry as a listing shows it. */
export interface ListedPoison extends PoisonLine {
  path: string;
  /** Of the entry itself. */
  entryEtag: string;
}

export interface PoisonPage {
  entries: ListedPoison[];
  next?: string;
}

/**
 * The uploads of one rule that were given up. A settled one is not deleted, which takes a right that archiving does without, but
 * marked. Throws `StorageError` and nothing else.
 */
export class PoisonStore {
  readonly #control: ControlStore;
  readonly #folder: string;

  constructor(control: ControlStore, rule: string) {
    this.#control = control;
    this.#folder = poisonPath(rule);
  }

  async read(id: string): Promise<Poison | undefined> {
    return (await this.#read(id))?.value;
  }

  /** Changes an entry by compare-and-swap. `change` sees what is there; undefined leaves it so. */
  async change(id: string, change: (before: Poison | undefined) => Poison | undefined): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const found = await this.#read(id);
      const next = change(found?.value);
      if (!next) return;
      const metadata = { [LINE_KEY]: asciiJson(poisonLine(next)) };
      const expect = found ? { ifMatch: found.etag } : 'absent';
      if (await this.#control.writeJson(this.#pathOf(id), next, expect, metadata)) return;
    }
    throw new StorageError('precondition', `${this.#pathOf(id)} keeps changing`);
  }

  /** One page, at most 5,000, of what is open or of what is settled. A page may be empty and not be the last. */
  async list(state: Poison['state'], options: { marker?: string; limit?: number } = {}): Promise<PoisonPage> {
    const page = await this.#control.list({ prefix: this.#folder, metadata: true, ...options });
    const entries = page.blobs.flatMap(({ name, etag, metadata }): ListedPoison[] => {
      const line = lineIn(metadata?.[LINE_KEY]);
      return line?.state === state ? [{ ...line, path: name, entryEtag: etag }] : [];
    });
    return { entries, ...(page.next !== undefined && { next: page.next }) };
  }

  /** All of them, page after page. */
  async *listAll(state: Poison['state']): AsyncGenerator<ListedPoison> {
    let marker: string | undefined;
    do {
      const page = await this.list(state, marker === undefined ? {} : { marker });
      yield* page.entries;
      marker = page.next;
    } while (marker !== undefined);
  }

  /** How many are open. One request per 5,000 there ever were. */
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

function lineIn(text: string | undefined): PoisonLine | undefined {
  if (text === undefined) return undefined;
  try {
    const line: unknown = JSON.parse(text);
    return isPoisonLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}
