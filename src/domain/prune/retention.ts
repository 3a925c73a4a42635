import { localDates } from '../run/local-date.ts';
import type { RetentionDecision } from '../run/prune-plan.ts';

/** The restore points that a job keeps. The rules are a union: a point stays if any rule keeps it. */
export interface RetentionPolicy {
  /** This many newest points. */
  keepLast?: number;
  /** One point of each of this many newest days that have any; likewise weeks (ISO, from Monday), months and years. */
  keepDaily?: number;
  keepWeekly?: number;
  keepMonthly?: number;
  keepYearly?: number;
  /** All points of the last days or hours: `30d`, `12h`. A day is 24 hours. */
  keepWithin?: string;
}

/** The facts about a restore point that decide whether it stays. */
export interface PointInTime {
  id: string;
  /** ISO 8601: when its run started. */
  startedAt: string;
  status: 'succeeded' | 'completed-with-failures';
  /** An operator holds it. */
  hold?: { reason: string };
  /** Its run engaged the safety brake, and no operator has released it. */
  brake?: { reason: string };
  /** The time of the last verification that found no failure. */
  verifiedAt?: string;
}

interface Candidate {
  point: PointInTime;
  /** Milliseconds. */
  time: number;
  reasons: string[];
}

const COUNTS = ['keepLast', 'keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const;
/** The names of the rules. A policy has at least one of them. */
export const RETENTION_RULES = [...COUNTS, 'keepWithin'] as const;
export const MOST_KEPT = 10_000;
/** Hours between marking a restore point for removal and deleting its content. */
export const DEFAULT_MARGIN_HOURS = 24;
/** Ten years. */
export const MOST_MARGIN_HOURS = 87_600;

/** Rules that keep one restore point per period. The period follows from the local date, `2026-11-20`. */
const PERIODS = [
  { rule: 'keepDaily', name: 'daily', periodOf: (date: string) => date },
  { rule: 'keepWeekly', name: 'weekly', periodOf: isoWeek },
  { rule: 'keepMonthly', name: 'monthly', periodOf: (date: string) => date.slice(0, 7) },
  { rule: 'keepYearly', name: 'yearly', periodOf: (date: string) => date.slice(0, 4) },
] as const;

/**
 * Decides for each restore point whether it stays. The newest comes first in the result, in whatever order they are
 * given. Without a policy, or with one that has no rule, all stay.
 *
 * - Days, weeks, months and years are those of `timeZone`. The newest point of a period that succeeded counts, or the
 *   newest if none did. Periods without points do not count, so a job that pauses loses nothing.
 * - `keepWithin` counts back from the newest point, or from `now` if that is earlier: a backup that no longer runs ages
 *   nothing out, and neither does a clock that is ahead, as long as no run started by it.
 * - These points always stay: the newest, the newest that succeeded, the newest that was verified, and those on hold.
 * - A safety brake keeps its point and all older ones until it is released. So does each of several brakes: one that an
 *   operator never released must not leave later points without the protection of the next.
 * - A point that started after `now` means that a clock is wrong: then all points stay.
 *
 * A point that stays would also stay if the others were gone. Throws a RangeError for an invalid policy, time or time
 * zone.
 */
export function retention(
  points: readonly PointInTime[],
  policy: RetentionPolicy | undefined,
  now: Date,
  timeZone: string,
): RetentionDecision[] {
  const candidates = points
    .map((point): Candidate => ({ point, time: timeOf(point), reasons: [] }))
    .sort((a, b) => b.time - a.time || (a.point.id < b.point.id ? 1 : -1));
  if (policy === undefined || RETENTION_RULES.every((rule) => policy[rule] === undefined)) {
    return candidates.map(({ point }) => ({ id: point.id, keep: true, reasons: ['no policy'] }));
  }
  const problem = retentionProblem(policy);
  if (problem !== undefined) throw new RangeError(problem);
  if (Number.isNaN(now.getTime())) throw new RangeError('the time to decide at is not a time');

  applyRules(candidates, policy, now, timeZone);
  applyFloors(candidates);
  applyBrakes(candidates);
  const future = candidates.filter(({ time }) => time > now.getTime());
  for (const { reasons } of future) reasons.push('in the future');

  return candidates.map(({ point, reasons }) => {
    if (reasons.length > 0) return { id: point.id, keep: true, reasons };
    return future.length > 0
      ? { id: point.id, keep: true, reasons: ['another is in the future'] }
      : { id: point.id, keep: false, reasons: ['no rule keeps it'] };
  });
}

function timeOf({ id, startedAt }: PointInTime): number {
  const time = Date.parse(startedAt);
  if (Number.isNaN(time)) {
    throw new RangeError(`restore point ${id} has no start time, and retention needs it`);
  }
  return time;
}

function applyRules(candidates: readonly Candidate[], policy: RetentionPolicy, now: Date, timeZone: string): void {
  const { keepLast, keepWithin } = policy;
  for (const { reasons } of candidates.slice(0, keepLast ?? 0)) reasons.push(`last ${keepLast}`);

  const dateOf = localDates(timeZone);
  const dated = candidates.map((candidate) => ({ candidate, date: dateOf(candidate.time) }));
  for (const { rule, name, periodOf } of PERIODS) {
    const best = new Map<string, Candidate>();
    for (const { candidate, date } of dated) {
      const period = periodOf(date);
      const found = best.get(period);
      if (!found || (!succeeded(found) && succeeded(candidate))) best.set(period, candidate);
    }
    // By name: if clocks are set back over midnight, dates are not in the order of the points.
    const periods = [...best.keys()].sort().reverse();
    for (const period of periods.slice(0, policy[rule] ?? 0)) best.get(period)!.reasons.push(`${name} ${period}`);
  }

  if (keepWithin === undefined || candidates.length === 0) return;
  const since = Math.min(candidates[0]!.time, now.getTime()) - parseDuration(keepWithin)!;
  for (const { time, reasons } of candidates) if (time >= since) reasons.push(`within ${keepWithin}`);
}

/** The points that stay under any policy. */
function applyFloors(candidates: readonly Candidate[]): void {
  const lastGood = candidates.find(succeeded);
  lastGood?.reasons.push('last good');
  if (lastGood !== candidates[0]) candidates[0]!.reasons.push('newest');
  candidates.find(({ point }) => point.verifiedAt !== undefined)?.reasons.push('last verified');
  for (const { point, reasons } of candidates) if (point.hold) reasons.push(`held: ${point.hold.reason}`);
}

function applyBrakes(newestFirst: readonly Candidate[]): void {
  let brake: string | undefined;
  for (const { point, reasons } of newestFirst) {
    if (point.brake) brake = point.id;
    if (brake !== undefined) reasons.push(`brake on ${brake}`);
  }
}

function succeeded({ point }: Candidate): boolean {
  return point.status === 'succeeded';
}

/** The ISO week of a date, as `2026-W47`: it belongs to the year of its Thursday. */
function isoWeek(date: string): string {
  const thursday = new Date(`${date}T00:00:00Z`);
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 24 * 3600_000));
  return `${String(year).padStart(4, '0')}-W${String(week).padStart(2, '0')}`;
}

/** Milliseconds in a text such as `30d` or `12h`, or undefined if it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const parts = /^([1-9]\d{0,4})([dh])$/.exec(text);
  return parts ? Number(parts[1]) * (parts[2] === 'd' ? 24 : 1) * 3600_000 : undefined;
}

/** What is wrong with a policy in itself, or undefined. */
export function retentionProblem(policy: RetentionPolicy): string | undefined {
  for (const rule of COUNTS) {
    const count = policy[rule];
    if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= MOST_KEPT)) {
      return `${rule} must be a whole number from 1 to ${MOST_KEPT}`;
    }
  }
  const { keepWithin } = policy;
  if (keepWithin !== undefined && parseDuration(keepWithin) === undefined) {
    const quoted = JSON.stringify(keepWithin.length > 40 ? `${keepWithin.slice(0, 40)}…` : keepWithin);
    return `${quoted} is not a duration; use a number and "d" for days or "h" for hours, for example "30d" or "12h"`;
  }
  if (RETENTION_RULES.every((rule) => policy[rule] === undefined)) {
    return (
      'no rule keeps any restore point; add at least one of ' +
      `${RETENTION_RULES.map((rule) => `"${rule}"`).join(', ')}`
    );
  }
  return undefined;
}
