import { MemoryStorage } from '../memory/memory-account.ts';

/**
 * ETags and ids made of an actor's name and a count: if two independent steps of different actors change places, the
 * resulting states are equal, and are recognized as equal.
 */
export class NumberedStorage extends MemoryStorage {
  /** Letters and digits. */
  actor = 'none';
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

  /** Does work in the name of an actor. */
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
