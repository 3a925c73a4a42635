/** Random numbers from a seed: the same seed gives the same numbers, in every process. */
export class Random {
  #state: number;

  /** A text is hashed (FNV-1a). */
  constructor(seed: number | string) {
    let state = typeof seed === 'number' ? seed : 0x811c9dc5;
    if (typeof seed === 'string') for (const byte of Buffer.from(seed)) state = Math.imul(state ^ byte, 0x01000193);
    // Adjacent seeds must not give similar first numbers.
    this.#state = Math.imul(state ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
    for (let i = 0; i < 4; i++) this.next();
  }

  /** From 0 to just below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to just below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** The same items in random order. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    return order;
  }

  /** Removes random items from a list, and returns them. */
  take<T>(items: T[], count: number): T[] {
    return Array.from({ length: Math.min(count, items.length) }, () => {
      const [taken] = items.splice(this.below(items.length), 1, items.at(-1)!);
      items.pop();
      return taken!;
    });
  }

  /** Random characters of a–z and 0–9. */
  letters(count: number): string {
    let text = '';
    for (let i = 0; i < count; i++) text += 'abcdefghijklmnopqrstuvwxyz0123456789'[this.below(36)];
    return text;
  }
}
