import pLimit from 'p-limit';
import { isStorageError } from '#storage/storage-error.ts';

/**
 * Runs as many requests at once as the service accepts: a partition accepts a limited number of entities per second
 * from all of its writers. If it is too busy, half as many requests run at once, and the refused one waits for its next
 * try. After `patience` refusals in a row, with no success in between, the request fails.
 */
export class AdaptiveConcurrency {
  readonly #most: number;
  readonly #patience: number;
  readonly #limit;
  #patienceLeft: number;
  /** How often it has slowed down. A refusal of a request that began before that says nothing about the slower pace. */
  #slowdowns = 0;

  constructor(most: number, patience: number) {
    this.#most = most;
    this.#patience = patience;
    this.#patienceLeft = patience;
    this.#limit = pLimit(most);
  }

  /** Throws what the attempt throws, but `throttled` only when no patience is left. */
  async run<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      const done = await this.#limit(() => this.#once(attempt));
      if (done) return done.value;
    }
  }

  async #once<T>(attempt: () => Promise<T>): Promise<{ value: T } | undefined> {
    const slowdownsBefore = this.#slowdowns;
    try {
      const value = await attempt();
      this.#patienceLeft = this.#patience;
      this.#limit.concurrency = Math.min(this.#limit.concurrency + 1, this.#most);
      return { value };
    } catch (error) {
      if (!isStorageError(error, 'throttled')) throw error;
      if (slowdownsBefore === this.#slowdowns) this.#slowDown();
      if (this.#patienceLeft < 0) throw error;
      return undefined;
    }
  }

  #slowDown(): void {
    this.#slowdowns++;
    this.#patienceLeft--;
    // Without patience, the requests that still wait fail as well, and they should do so soon.
    this.#limit.concurrency = this.#patienceLeft < 0 ? this.#most : Math.max(1, this.#limit.concurrency >> 1);
  }
}
