import { localDates } from '../run/local-date.ts';
import { graceWithin, isAhead } from './expected.ts';
import { isPausedAt, type Pause } from './pause.ts';

/** The days that an overview shows, today included. */
export const STRIP_DAYS = 30;

/** How the backups of one day ended, the worst first. */
export const DAY_RESULTS = ['failed', 'completed-with-failures', 'cancelled', 'succeeded', 'running'] as const;
export type DayResult = (typeof DAY_RESULTS)[number];

/** One day of a job, in its time zone. Null is what is not known; `worst` also if nothing ran. */
export interface StripDay {
  /** Such as `2026-11-20`. */
  day: string;
  worst: DayResult | null;
  /** Backups that began on this day. */
  runs: number | null;
  /** Times of the schedule on this day for which no backup ran. */
  missed: number | null;
}

/** A backup as the catalog has it. */
export interface StripRun {
  id: string;
  status: string;
  startedAt: string;
  finishedAt?: string;
}

export interface StripFacts {
  timeZone: string;
  runs: readonly StripRun[];
  /** The runs that are in progress: what a row says of others may be out of date. */
  running: ReadonlySet<string>;
  /** Earlier runs may be missing; absent if none are. */
  runsSince?: Date;
  /**
   * The times of the schedule since it is known to be in force, and the first one that is still to come; absent if they
   * are too many to count.
   */
  expected?: { since: Date; times: readonly Date[]; next: Date | undefined; graceMs?: number | undefined };
  pause?: Pause | undefined;
}

/** A tick may come early, since clocks differ. */
const EARLY_MS = 30_000;
const DAY_MS = 24 * 3_600_000;

/**
 * The last 30 days of a job. A time of its schedule is missed if no backup began between it and the next time, none was
 * in progress at it, the job was not paused, and its grace is over.
 */
export function stripOf(facts: StripFacts, now: Date): StripDay[] {
  const { timeZone, runs, running, runsSince, expected } = facts;
  const dateOf = localDates(timeZone);
  const days = lastDays(dateOf(now.getTime()));
  // What began before the first known run may be missing also on its day.
  const unknownUpTo = runsSince ? dateOf(runsSince.getTime()) : '';
  const seenOn = expected && dateOf(expected.since.getTime());
  const known = runs.filter(({ startedAt }) => !isAhead(new Date(startedAt), now));
  const byDay = Map.groupBy(known, ({ startedAt }) => dateOf(Math.min(Date.parse(startedAt), now.getTime())));
  const missed = new Map<string, number>();
  for (const time of missedTimes(facts, known, now)) {
    const day = dateOf(time);
    missed.set(day, (missed.get(day) ?? 0) + 1);
  }
  return days.map((day) => {
    if (day <= unknownUpTo) return { day, worst: null, runs: null, missed: null };
    const own = byDay.get(day) ?? [];
    const results = new Set(own.map((run) => resultOf(run, running)));
    const isExpectationKnown = seenOn !== undefined && seenOn <= day;
    return {
      day,
      worst: DAY_RESULTS.find((each) => results.has(each)) ?? null,
      runs: own.length,
      missed: isExpectationKnown ? (missed.get(day) ?? 0) : null,
    };
  });
}

/** The dates of the days up to a date, oldest first. */
function lastDays(today: string): string[] {
  const end = Date.parse(`${today}T00:00:00Z`);
  return Array.from({ length: STRIP_DAYS }, (_, index) =>
    new Date(end - (STRIP_DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10),
  );
}

/** Undefined if the row is out of date: the run has ended, and could not say how. */
function resultOf({ id, status }: StripRun, running: ReadonlySet<string>): DayResult | undefined {
  const result = DAY_RESULTS.find((each) => each === status);
  return result === 'running' && !running.has(id) ? undefined : result;
}

function missedTimes({ expected, pause, running }: StripFacts, runs: readonly StripRun[], now: Date): number[] {
  if (!expected) return [];
  const spans = runs
    .map(({ id, startedAt, finishedAt }) => {
      const from = Date.parse(startedAt);
      return { from, to: running.has(id) ? now.getTime() : Date.parse(finishedAt ?? startedAt) };
    })
    .sort((a, b) => a.from - b.from);
  const missed: number[] = [];
  let at = 0;
  let busyUntil = Number.NEGATIVE_INFINITY;
  const { since, times, next, graceMs } = expected;
  for (const [index, time] of times.entries()) {
    const due = time.getTime();
    const end = times[index + 1] ?? next;
    for (; at < spans.length && spans[at]!.from < due - EARLY_MS; at++) busyUntil = Math.max(busyUntil, spans[at]!.to);
    const isServed = at < spans.length && (end === undefined || spans[at]!.from < end.getTime() - EARLY_MS);
    const interval = end ? end.getTime() - due : Number.POSITIVE_INFINITY;
    const isOver = now.getTime() > due + (graceMs ?? graceWithin(interval));
    if (!isServed && busyUntil <= due && isOver && time >= since && !isPausedAt(pause, time)) missed.push(due);
  }
  return missed;
}
