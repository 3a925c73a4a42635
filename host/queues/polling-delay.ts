const SHORTEST = 100;
const SPREAD = 0.2;

/**
 * The delay before the next poll of an empty queue, as in the real host: a tenth of a second at first, then growing
 * with jitter up to the longest delay.
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

  /** Milliseconds. `found`: whether there was a message since the last delay. */
  next(found: boolean): number {
    if (found) {
      this.#exponent = 1;
      this.#current = SHORTEST;
    } else if (this.#current !== this.#longest) {
      const jitter = 1 - SPREAD + 2 * SPREAD * this.#random();
      const added = this.#exponent === 0 ? 0 : jitter * 2 ** (this.#exponent - 1) * SHORTEST;
      this.#exponent++;
      this.#current = Math.min(SHORTEST + added, this.#longest);
    }
    return this.#current;
  }
}
