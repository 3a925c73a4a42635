/** What decides when to ask again. All times are in milliseconds. */
export interface Pace {
  /** How often, as long as all is well; undefined: never. */
  every: number | undefined;
  /** Calls in a row that failed. */
  failures: number;
  /** How long the app asks to wait. */
  retryAfter: number | undefined;
  /** For how long the page has not been touched. */
  idle: number;
}

const IDLE_MS = 600_000;
const SLOWEST_MS = 60_000;
const IDLE_EVERY_MS = 30_000;

/** Milliseconds until the next call; undefined: none. */
export function pause({ every, failures, retryAfter = 0, idle }: Pace): number | undefined {
  if (failures > 0) return Math.max(retryAfter, Math.min(SLOWEST_MS, 1000 * 2 ** failures));
  if (every === undefined) return undefined;
  return idle > IDLE_MS ? Math.max(every, IDLE_EVERY_MS) : every;
}

/** Errors that another call does not end: what is asked for is not there, or not for this caller. */
export function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}
