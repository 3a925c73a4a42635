import { nextAfter } from '../run/schedule.ts';
import { isPaused, type Pause } from './pause.ts';

/** When a schedule next starts a run. While its job is paused, that is not before the pause ends by itself. */
export function nextStart(schedule: string, timeZone: string, pause: Pause | undefined, now: Date): Date | undefined {
  if (!isPaused(pause, now)) return nextAfter(schedule, timeZone, now);
  return pause.until === undefined ? undefined : nextAfter(schedule, timeZone, new Date(pause.until));
}
