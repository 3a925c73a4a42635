import { isPoison, isPoisonLine, type Poison, type PoisonLine, poisonLine } from '../domain/poison.ts';
import { poisonPath } from '../domain/receipt-path.ts';
import { asciiJson } from '../domain/tally.ts';
import type { ControlStore } from './control-store.ts';
import { StorageError } from './storage-error.ts';

/** In the metadata of an entry, what a listing has to tell of it. */
const LINE_KEY = 'strongroom_poison';

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

  /** One page, at most 5,000, of what is still open. A page may be empty and not be the last. */
  async listOpen(options: { marker?: string; limit?: number } = {}): Promise<{ entries: PoisonLine[]; next?: string }> {
    const page = await this.#control.list({ prefix: this.#folder, metadata: true, ...options });
    const entries = page.blobs.flatMap(({ metadata }) => lineIn(metadata?.[LINE_KEY]) ?? []);
    return {
      entries: entries.filter(({ state }) => state === 'open'),
      ...(page.next !== undefined && { next: page.next }),
    };
  }

  /** How many are open. One request per 5,000 there ever were. */
  async countOpen(): Promise<number> {
    let count = 0;
    let marker: string | undefined;
    do {
      const page = await this.listOpen(marker === undefined ? {} : { marker });
      count += page.entries.length;
      marker = page.next;
    } while (marker !== undefined);
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
