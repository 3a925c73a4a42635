import { Cron } from 'croner';
import { HostError, messageOf } from '../host-error.ts';

/** The stored state of a timer, with the names of the real host. */
export interface ScheduleStatus {
  Last: string;
  Next: string;
  LastUpdated: string;
}

/** When a timer fires next, and whether that is late. */
export interface Due {
  at: Date;
  isPastDue: boolean;
}

export interface Occurrences {
  /** The first occurrence after the given time; undefined if there is none. */
  after(time: Date): Date | undefined;
}

/** Parses an NCRONTAB expression: seconds first, in UTC. An expression with five fields fires at second 0. */
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
      `${where} has the schedule "${expression}", which is invalid: ${messageOf(error)}. Use six fields, as in ` +
        '"0 30 23 * * *" (second minute hour day month weekday, in UTC).',
    );
  }
}

/** If the timer missed occurrences while the host was down, it fires once at the start. */
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
