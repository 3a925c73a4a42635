import { nextAfter } from '../run/schedule.ts';
import { isPaused, type Pause } from './pause.ts';

/**
 * When a schedule next starts a run; undefined if there is none, or it does not. While its job is paused, that is not
 * before the pause ends by itself.
 */
export function nextStart(
  schedule: string | undefined,
  timeZone: string,
  pause: Pause | undefined,
  now: Date,
): Date | undefined {
  if (schedule === undefined) return undefined;
  if (!isPaused(pause, now)) return nextAfter(schedule, timeZone, now);
  return pause.until === undefined ? undefined : nextAfter(schedule, timeZone, new Date(pause.until));
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
