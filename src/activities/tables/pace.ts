import pLimit from 'p-limit';
import { isStorageError } from '#storage/storage-error.ts';

/**
 * Requests that are under way at once, as many as the service takes: a partition takes only so many entities a second, whoever
 * writes them. Where it is too busy each time that a request is tried, half as many go on, and the request waits for its turn among
 * them. After `patience` times in a row, with nothing done in between, it is given up.
 */
export class Pace {
  readonly #most: number;
  readonly #patience: number;
  readonly #limit;
  #left: number;
  /** Counts the times that it was slowed down: what was under way then says nothing about the slower pace. */
  #slowed = 0;

  constructor(most: number, patience: number) {
    this.#most = most;
    this.#patience = patience;
    this.#left = patience;
    this.#limit = pLimit(most);
  }

  /** Throws what the attempt throws, and `throttled` only when there is no more patience. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      const done = await this.#limit(() => this.#once(attempt));
      if (done) return done.value;
    }
  }

  async #once<T>(attempt: () => Promise<T>): Promise<{ value: T } | undefined> {
    const before = this.#slowed;
    try {
      const value = await attempt();
      this.#left = this.#patience;
      this.#limit.concurrency = Math.min(this.#limit.concurrency + 1, this.#most);
      return { value };
    } catch (error) {
      if (!isStorageError(error, 'throttled')) throw error;
      if (before === this.#slowed) this.#slowDown();
      if (this.#left < 0) throw error;
      return undefined;
    }
  }

  #slowDown(): void {
    this.#slowed++;
    this.#left--;
    // What comes then is to be known soon.
    this.#limit.concurrency = this.#left < 0 ? this.#most : Math.max(1, this.#limit.concurrency >> 1);
  }
}
