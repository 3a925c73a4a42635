import { Cron } from 'croner';
import { HostError, messageOf } from '../host-error.ts';

/** The stored state of a timer, with the names of the real host. */
export interface ScheduleStatus {
  Last: string;
  /** Empty if the schedule has no further occurrence. */
  Next: string;
  LastUpdated: string;
}

export interface Occurrences {
  /** The first occurrence after the given time; undefined if there is none. */
  after(time: Date): Date | undefined;
}

/** How the real host writes a time that it does not know. */
export const NEVER = '0001-01-01T00:00:00+00:00';

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

/** As in Azure, nothing is stored for a schedule that recurs within a minute, and its function gets no status. */
export function isMonitored(occurrences: Occurrences, now: Date): boolean {
  const first = occurrences.after(now);
  const second = first && occurrences.after(first);
  return second === undefined || second.getTime() >= now.getTime() + 60_000;
}

/** What a timer that has ticked `last` stores. */
export function statusAfter(occurrences: Occurrences, last: Date): ScheduleStatus {
  const at = last.toISOString();
  return { Last: at, Next: nextText(occurrences, last), LastUpdated: at };
}

/**
 * What a timer starts with, given what it has stored. A timer that is new, or whose schedule has changed since, has
 * missed nothing: its next occurrence is not in the past.
 */
export function statusAtStart(occurrences: Occurrences, stored: ScheduleStatus | undefined, now: Date): ScheduleStatus {
  const times = stored ? [stored.Last, stored.LastUpdated].map((text) => new Date(text)) : [];
  // A time ahead of the clock was stored before the clock was set back.
  const since = times.find((time) => time.getTime() > 0 && time <= now);
  const expected = since ? nextText(occurrences, since) : '';
  if (stored && expected === stored.Next) return stored;
  if (since && Date.parse(expected) >= now.getTime()) {
    return { Last: NEVER, Next: expected, LastUpdated: since.toISOString() };
  }
  return { Last: NEVER, Next: nextText(occurrences, now), LastUpdated: now.toISOString() };
}

function nextText(occurrences: Occurrences, time: Date): string {
  return occurrences.after(time)?.toISOString() ?? '';
}
