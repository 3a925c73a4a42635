import { newestWithin } from './schedule.ts';

/** What a schedule starts. Each has a timer function. */
export type Scheduled = 'backup' | 'verify' | 'prune' | 'reconcile';

/** One time of a schedule. */
export interface Occurrence {
  what: Scheduled;
  at: Date;
}

/** The newest occurrence of each schedule that a run serves, and that run. The lock of the job keeps it. */
export type Served = Partial<Record<Scheduled, { at: string; run: string }>>;

/** A tick may come early, since clocks differ: occurrences are a minute apart, and it belongs to the nearest. */
const EARLY_MS = 30_000;
/** A timer fires at least hourly. If one tick starts nothing, the next one still can. */
const WINDOW_MS = 65 * 60_000;
/** A mark from further ahead than clocks differ was made before a clock was set back. */
const CLOCKS_APART_MS = 3_600_000;

/**
 * The occurrence for which a timer that fires `now` starts a run, or undefined. After an outage, one tick covers all
 * occurrences since the `last` tick, if that is known: the newest counts.
 */
export function dueAt(expr: string, zone: string, now: Date, last: Date | undefined): Date | undefined {
  const from = Math.min(now.getTime() - WINDOW_MS, last?.getTime() ?? Number.POSITIVE_INFINITY);
  return newestWithin(expr, zone, new Date(from), new Date(now.getTime() + EARLY_MS));
}

/** The run that serves this occurrence or a newer one, if any. */
export function servingRun(served: Served | undefined, { what, at }: Occurrence, now: Date): string | undefined {
  const mark = served?.[what];
  const marked = Date.parse(String(mark?.at));
  return marked >= at.getTime() && marked <= now.getTime() + CLOCKS_APART_MS ? mark!.run : undefined;
}

export function withServed(served: Served | undefined, { what, at }: Occurrence, run: string): Served {
  return { ...served, [what]: { at: at.toISOString(), run } };
}
