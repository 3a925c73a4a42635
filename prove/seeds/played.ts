/** A promise that a seed shows to be broken. */
export interface Violation {
  /** The promise, such as I1. */
  promise: string;
  message: string;
  /** The blob or run concerned: the key to the lines of the trace. */
  about: string;
}

/** The result of one seed. */
export interface Played {
  violations: Violation[];
  /** Every step, in order. */
  trace: string[];
  /** Of the trace and the last state of the vault: the same for the same seed. */
  digest: string;
  /** How often each event happened. */
  statistics: Record<string, number>;
}

/** Adds the counts of one seed to those of all. */
export function addCounts(totals: Record<string, number>, { statistics }: Played): void {
  for (const [event, count] of Object.entries(statistics)) totals[event] = (totals[event] ?? 0) + count;
}
