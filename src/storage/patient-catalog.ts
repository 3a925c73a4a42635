import type { Catalog, CatalogPage, CatalogRow, ListedRows } from './catalog.ts';
import { isStorageError, type StorageError } from './storage-error.ts';

/** Milliseconds until a table service that could not be used is asked again. */
const AGAIN_AFTER_MS = 60_000;
const MOST_MISSED = 1_000;

/**
 * A catalog whose table service may be out of reach, or absent, for long: it is asked once a minute at most, and gets
 * the rows that it missed as soon as it answers.
 */
export class PatientCatalog implements Catalog {
  readonly #catalog: Catalog;
  readonly #now: () => Date;
  readonly #missed = new Map<string, CatalogRow>();
  #refused: { error: StorageError; at: number } | undefined;

  constructor(catalog: Catalog, now: () => Date) {
    this.#catalog = catalog;
    this.#now = now;
  }

  async put(row: CatalogRow): Promise<'created' | undefined> {
    this.#missed.delete(row.id);
    let made: 'created' | undefined;
    try {
      made = await this.#ask(() => this.#catalog.put(row));
    } catch (error) {
      if (this.#missed.size < MOST_MISSED) this.#missed.set(row.id, row);
      throw error;
    }
    for (const [id, missed] of this.#missed) {
      await this.#catalog.put(missed);
      this.#missed.delete(id);
    }
    return made;
  }

  empty(row: CatalogRow): Promise<void> {
    this.#missed.delete(row.id);
    return this.#ask(() => this.#catalog.empty(row));
  }

  markComplete(): Promise<void> {
    return this.#ask(() => this.#catalog.markComplete());
  }

  list(options: ListedRows): Promise<CatalogPage> {
    return this.#ask(() => this.#catalog.list(options));
  }

  async #ask<T>(send: () => Promise<T>): Promise<T> {
    const now = this.#now().getTime();
    if (this.#refused && now - this.#refused.at < AGAIN_AFTER_MS) throw this.#refused.error;
    try {
      const answer = await send();
      this.#refused = undefined;
      return answer;
    } catch (error) {
      if (isLasting(error)) this.#refused = { error, at: this.#now().getTime() };
      throw error;
    }
  }
}

/** Whether the next request would fail alike. A request that was not sent, for a foreign cursor, says nothing. */
function isLasting(error: unknown): error is StorageError {
  if (isStorageError(error, 'unreachable')) return true;
  return isStorageError(error, 'access-denied', 'invalid', 'unsupported', 'not-created') && error.status > 0;
}
