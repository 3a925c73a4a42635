import { MemoryStorage } from '../memory/memory-account.ts';

/**
 * ETags and ids that follow from who made them, and as how many: where two that have nothing to do with each other change
 * places, all is as it was, and is known to be.
 */
export class NumberedStorage extends MemoryStorage {
  /** Letters and digits. */
  actor = 'nobody';
  readonly #counts = new Map<string, number>();

  override etag(): string {
    return `0x${this.#next()}`;
  }

  override snapshotId(now: number): string {
    return `${new Date(now).toISOString().slice(0, -1)}0000Z${this.#next()}`;
  }

  override copyId(): string {
    return this.#next();
  }

  /** Does something in the name of an actor. */
  as<T>(actor: string, work: () => T): T {
    const before = this.actor;
    this.actor = actor;
    try {
      return work();
    } finally {
      this.actor = before;
    }
  }

  #next(): string {
    const count = (this.#counts.get(this.actor) ?? 0) + 1;
    this.#counts.set(this.actor, count);
    return `${this.actor}n${count}`;
  }
}
