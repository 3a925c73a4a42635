import { nextAfter } from '../run/schedule.ts';

export const MONTH_DAYS = 30;
const MONTH_MS = MONTH_DAYS * 24 * 60 * 60_000;

/** Each occurrence takes a computation: a schedule that has more of them in a month is extrapolated from these. */
const MOST_COUNTED = 750;

/** How often a schedule occurs in the 30 days after `from`: counted up to 750, and extrapolated from there. */
export function occurrencesInMonth(schedule: string, zone: string, from: Date): number {
  const end = from.getTime() + MONTH_MS;
  let last = from;
  for (let count = 0; count < MOST_COUNTED; count++) {
    const next = nextAfter(schedule, zone, last);
    if (!next || next.getTime() > end) return count;
    last = next;
  }
  return Math.round((MOST_COUNTED * MONTH_MS) / (last.getTime() - from.getTime()));
}
