const SHORTEST = 100;
const SPREAD = 0.2;

/**
 * How long to wait before an empty queue is looked at again, as the real host does it: at first a tenth of a second,
 * then longer and longer, with some chance in it, up to the longest.
 */
export class PollingDelay {
  readonly #longest: number;
  readonly #random: () => number;
  #exponent = 0;
  #current = 0;

  /** `longest` in milliseconds. */
  constructor(longest: number, random: () => number = Math.random) {
    this.#longest = longest;
    this.#random = random;
  }

  /** Milliseconds; `found` says whether there was a message since the last wait. */
  next(found: boolean): number {
    if (found) {
      this.#exponent = 1;
      this.#current = SHORTEST;
    } else if (this.#current !== this.#longest) {
      const chance = 1 - SPREAD + 2 * SPREAD * this.#random();
      const added = this.#exponent === 0 ? 0 : chance * 2 ** (this.#exponent - 1) * SHORTEST;
      this.#exponent++;
      this.#current = Math.min(SHORTEST + added, this.#longest);
    }
    return this.#current;
  }
}
