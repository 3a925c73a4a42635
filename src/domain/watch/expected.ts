import { type Mark, NO_RUN } from '../run/occurrence.ts';
import { nextAfter } from '../run/schedule.ts';

/** What should happen: by a schedule, or in an interval. Neither: nothing is expected. */
export interface Expectation {
  schedule?: string | undefined;
  timeZone: string;
  /** Milliseconds after an occurrence until it is overdue. Default: see `graceOf`. */
  graceMs?: number | undefined;
  /** Without a schedule: the longest time from one to the next, in milliseconds. */
  everyMs?: number | undefined;
}

/** What is known of it. */
export interface Known {
  /** Nothing is expected for the time before: the watch saw the expectation first, or a pause ended. */
  since: Date;
  /** The newest time for which it is done. */
  doneFor?: Date | undefined;
  /** Whether a run that does it is in progress. */
  isRunning: boolean;
}

/**
 * `unwatched`: nothing is expected. `due`: not done yet, within the grace. `running`: not done yet, and in progress,
 * however late. `dueAt` is the first time for which it is not done, `overdueAt` when it is overdue unless done before:
 * a later occurrence that is within its grace does not end that.
 */
export type Standing = { state: 'unwatched' } | { state: 'ok' } | Awaited;

export interface Awaited {
  state: 'due' | 'running' | 'overdue';
  dueAt: Date;
  overdueAt: Date;
}

const MINUTE = 60_000;
const LEAST_GRACE_MS = 15 * MINUTE;
const MOST_GRACE_MS = 120 * MINUTE;
/** A time from further ahead than clocks differ is from before a clock was set back, and says nothing. */
const CLOCKS_APART_MS = 60 * MINUTE;

/** How an expectation stands. Agrees with the timers (`occurrence.ts`) on whether something is due. */
export function standingOf(expectation: Expectation, known: Known, now: Date): Standing {
  const done = isAhead(known.doneFor, now) ? undefined : known.doneFor;
  const awaited = awaitedBy(expectation, { ...known, doneFor: done }, now);
  if (awaited === 'unwatched') return { state: 'unwatched' };
  if (!awaited) return { state: 'ok' };
  const late = now > awaited.overdueAt ? 'overdue' : 'due';
  return { state: known.isRunning ? 'running' : late, ...awaited };
}

function awaitedBy(
  { schedule, timeZone, graceMs, everyMs }: Expectation,
  { since, doneFor }: Known,
  now: Date,
): Omit<Awaited, 'state'> | 'unwatched' | undefined {
  const from = Math.max(since.getTime(), doneFor?.getTime() ?? Number.NEGATIVE_INFINITY);
  if (schedule !== undefined) {
    const dueAt = nextAfter(schedule, timeZone, new Date(Math.min(from, now.getTime())));
    if (!dueAt || dueAt > now) return undefined;
    const grace = graceMs ?? graceOf(schedule, timeZone, dueAt);
    return { dueAt, overdueAt: new Date(dueAt.getTime() + grace) };
  }
  if (everyMs === undefined) return 'unwatched';
  // The interval says itself how late is too late.
  const dueAt = new Date(from + everyMs);
  return dueAt <= now ? { dueAt, overdueAt: dueAt } : undefined;
}

/** A tenth of the time to the next occurrence, from 15 minutes to two hours. */
export function graceOf(schedule: string, timeZone: string, dueAt: Date): number {
  const next = nextAfter(schedule, timeZone, dueAt);
  return graceWithin(next ? next.getTime() - dueAt.getTime() : Number.POSITIVE_INFINITY);
}

/** The same, given the milliseconds to the next occurrence. */
export function graceWithin(interval: number): number {
  return Math.min(MOST_GRACE_MS, Math.max(LEAST_GRACE_MS, interval / 10));
}

/** Whether a time is from before a clock was set back. */
export function isAhead(time: Date | undefined, now: Date): boolean {
  return time !== undefined && time.getTime() > now.getTime() + CLOCKS_APART_MS;
}

/**
 * The newest time for which something is done: the start of the last run that did it, or the occurrence that a good run
 * has served, which may have begun a little before. A schedule that is new or has changed owes nothing before its mark.
 */
export function doneFor(
  lastGoodStart: Date | undefined,
  mark: Mark | undefined,
  isGood: (run: string) => boolean,
): Date | undefined {
  const marked = mark && (mark.run === NO_RUN || isGood(mark.run)) ? Date.parse(mark.at) : Number.NaN;
  const times = [lastGoodStart?.getTime() ?? Number.NaN, marked].filter((time) => !Number.isNaN(time));
  return times.length > 0 ? new Date(Math.max(...times)) : undefined;
}
