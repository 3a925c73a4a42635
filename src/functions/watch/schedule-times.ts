import { timesWithin } from '#domain/run/schedule.ts';

/** Every quarter of an hour, for 31 days. */
const MOST_TIMES = 3_000;

interface Known {
  from: Date;
  to: Date;
  /** Undefined if they are too many. */
  found: { times: Date[]; next: Date | undefined } | undefined;
}

/** The past times of schedules. Each is computed once: a month of them takes longer than the rest of an overview. */
export class ScheduleTimes {
  readonly #known = new Map<string, Known>();

  /** The times after `from` and not after `to`, and the next one; undefined if they are too many. */
  of(schedule: string, zone: string, from: Date, to: Date): Known['found'] {
    const key = `${schedule} ${zone}`;
    const before = this.#known.get(key);
    const isContinued = before !== undefined && before.from <= from && before.to <= to;
    const known: Known = isContinued ? continued(before, schedule, zone, from, to) : { from, to, found: undefined };
    if (!isContinued) known.found = timesWithin(schedule, zone, { from, to, most: MOST_TIMES });
    this.#known.set(key, known);
    return known.found;
  }
}

function continued({ to: end, found }: Known, schedule: string, zone: string, from: Date, to: Date): Known {
  if (!found) return { from, to, found };
  const times = found.times.filter((time) => time > from);
  if (!found.next || found.next > to) return { from, to, found: { times, next: found.next } };
  const more = timesWithin(schedule, zone, { from: end, to, most: MOST_TIMES - times.length });
  return { from, to, found: more && { times: [...times, ...more.times], next: more.next } };
}
