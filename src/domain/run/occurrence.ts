import { newestWithin } from './schedule.ts';

/** What a schedule starts. Each has a timer function. */
export type Scheduled = 'backup' | 'verify' | 'prune' | 'reconcile';

/** One time of a schedule. */
export interface Occurrence {
  what: Scheduled;
  at: Date;
  /** The expression and its time zone. */
  schedule: string;
  /** Whether the timer has ticked for this time before, be it for an earlier schedule. */
  ticked: boolean;
}

/** The newest occurrence that a run serves, and that run; or the time before which this schedule owes none. */
export interface Mark {
  at: string;
  run: string;
  schedule?: string;
}

/** The mark of each schedule. The lock of the job keeps it. */
export type Served = Partial<Record<Scheduled, Mark>>;

/** In place of the run in the mark of a schedule that is new or has changed: it owes nothing for the time before. */
export const NO_RUN = 'none';

/** What the vault remembers of a schedule. */
export interface Memory {
  /** Occurrences before this time are not owed. */
  at: Date;
  /** Whether that of this very time is not owed either. It is if its run was lost, which only a start may find out. */
  isSettled: boolean;
}

/** What the host knows of a timer. It knows nothing of one that recurs within a minute. */
export interface TimerStatus {
  /** The last tick, or the time for which it was planned if it came early. */
  last?: Date | undefined;
  /** When the host last changed this status: for a timer that has not ticked, when it saw its schedule first. */
  lastUpdated?: Date | undefined;
  /** The time for which the tick was planned. */
  next?: Date | undefined;
}

/** A tick may come early, since clocks differ: occurrences are a minute apart, and it belongs to the nearest. */
const EARLY_MS = 30_000;
/** A timer fires at least hourly. If one tick starts nothing, the next one still can. */
const WINDOW_MS = 65 * 60_000;
/** A mark from further ahead than clocks differ was made before a clock was set back. */
const CLOCKS_APART_MS = 3_600_000;

/**
 * The occurrence for which a timer that fires `now` starts a run, or undefined. What the vault remembers decides: the
 * newest occurrence since counts for all that were missed. What the host knows of the timer may be lost with its data,
 * and decides only if the vault remembers nothing of this schedule.
 */
export function dueAt(expr: string, zone: string, now: Date, status?: TimerStatus, memory?: Memory): Date | undefined {
  const since = memory ? memory.at.getTime() - (memory.isSettled ? 0 : 1) : sinceByStatus(now.getTime(), status);
  return newestWithin(expr, zone, new Date(since), new Date(now.getTime() + EARLY_MS));
}

function sinceByStatus(now: number, { last, lastUpdated, next }: TimerStatus = {}): number {
  const window = now - WINDOW_MS;
  if (last) return Math.min(window, last.getTime());
  // The host plans no tick for an invocation by hand.
  const isPlanned = next && next.getTime() <= now + EARLY_MS;
  if (!isPlanned) return window;
  // The first tick of this schedule: what came before the schedule is not due.
  return lastUpdated ? lastUpdated.getTime() : next.getTime() - EARLY_MS;
}

/** The mark of a schedule, unless it was made before a clock was set back. */
export function markOf(served: Served | undefined, what: Scheduled, now: Date): Mark | undefined {
  const mark = served?.[what];
  const at = Date.parse(String(mark?.at));
  return Number.isNaN(at) || at > now.getTime() + CLOCKS_APART_MS ? undefined : mark;
}

/**
 * The run that serves this occurrence or a newer one, if any; `NO_RUN` if none has to. If the timer ticked at its time,
 * and the last run served another schedule, the schedule has changed since that tick: the occurrence was none then.
 */
export function servingRun(served: Served | undefined, due: Occurrence, now: Date): string | undefined {
  const mark = markOf(served, due.what, now);
  if (!mark) return undefined;
  const isOfAnother = due.ticked && mark.schedule !== undefined && mark.schedule !== due.schedule;
  return Date.parse(mark.at) >= due.at.getTime() || isOfAnother ? mark.run : undefined;
}

export function withServed(
  served: Served | undefined,
  { what, at, schedule }: Omit<Occurrence, 'ticked'>,
  run: string,
): Served {
  return { ...served, [what]: { at: at.toISOString(), run, schedule } };
}
