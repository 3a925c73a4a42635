import { nextAfter } from '../run/schedule.ts';
import type { Pause } from './pause.ts';

/**
 * When a schedule next starts a run; undefined if it does not. `pause` is one that is not over: then it starts nothing,
 * unless the pause ends by itself.
 */
export function nextStart(
  schedule: string | undefined,
  timeZone: string,
  pause: Pick<Pause, 'until'> | undefined,
  now: Date,
): Date | undefined {
  if (schedule === undefined || (pause && pause.until === undefined)) return undefined;
  return nextAfter(schedule, timeZone, pause ? new Date(pause.until!) : now);
}

/** The next times of a schedule. */
export function nextTimes(schedule: string, timeZone: string, now: Date, count: number): Date[] {
  const times: Date[] = [];
  for (let at = nextAfter(schedule, timeZone, now); at && times.length < count; ) {
    times.push(at);
    at = nextAfter(schedule, timeZone, at);
  }
  return times;
}
