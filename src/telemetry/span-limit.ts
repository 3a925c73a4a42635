/** One process sends so many spans of the activities of a run, and as many again of those that failed. */
const MOST = 200;
/** Of so many runs at a time. */
const MOST_RUNS = 100;

/** Keeps the spans of activities few: a large run has tens of thousands of them. */
export class SpanLimit {
  readonly #taken = new Map<string, { succeeded: number; failed: number }>();

  /** Whether one more span of this run is sent. It then counts. */
  takes(run: string, hasFailed: boolean): boolean {
    const taken = this.#taken.get(run) ?? { succeeded: 0, failed: 0 };
    this.#taken.set(run, taken);
    // Runs are in the order in which they began. An old one has most likely ended.
    if (this.#taken.size > MOST_RUNS) this.#taken.delete(this.#taken.keys().next().value!);
    const outcome = hasFailed ? 'failed' : 'succeeded';
    if (taken[outcome] >= MOST) return false;
    taken[outcome]++;
    return true;
  }
}
