import { Cron } from 'croner';
import { HostError, messageOf } from '../host-error.ts';

/** What is kept of a timer between starts, under the names the real host gives it. */
export interface ScheduleStatus {
  Last: string;
  Next: string;
  LastUpdated: string;
}

/** When a timer fires next, and whether that should have been earlier. Pure. */
export interface Due {
  at: Date;
  isPastDue: boolean;
}

export interface Occurrences {
  /** The first occurrence after the given time; `undefined` when there is none any more. */
  after(time: Date): Date | undefined;
}

/** Reads an NCRONTAB expression: seconds first, in UTC; the usual five fields are taken as at second 0. */
export function parseSchedule(expression: string, where: string): Occurrences {
  const fields = expression.trim().split(/\s+/);
  try {
    const cron = new Cron(fields.length === 5 ? `0 ${fields.join(' ')}` : fields.join(' '), {
      mode: '6-part',
      domAndDow: true,
      timezone: 'UTC',
      paused: true,
    });
    return { after: (time) => cron.nextRun(time) ?? undefined };
  } catch (error) {
    throw new HostError(
      `${where} has the schedule "${expression}", which cannot be read: ${messageOf(error)}. Six fields are needed, as in "0 30 23 * * *".`,
    );
  }
}

/** An occurrence that was missed while the host was down fires once, at start. */
export function dueAtStart(occurrences: Occurrences, status: ScheduleStatus | undefined, now: Date): Due | undefined {
  if (status !== undefined) {
    const missed = occurrences.after(new Date(status.Last));
    if (missed !== undefined && missed <= now) return { at: now, isPastDue: true };
  }
  return dueAfter(occurrences, now);
}

export function dueAfter(occurrences: Occurrences, time: Date): Due | undefined {
  const at = occurrences.after(time);
  return at === undefined ? undefined : { at, isPastDue: false };
}
