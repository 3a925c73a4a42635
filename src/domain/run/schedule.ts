import { Cron } from 'croner';

/**
 * Six-field NCRONTAB schedules (`{second} {minute} {hour} {day} {month} {day of week}`) in any time zone, computed
 * without a clock. Day and day of week must both match. Only schedules that croner and the Functions host interpret
 * alike are valid.
 *
 * When clocks change: a schedule of plain times (no `*`, no step in second, minute and hour) in the skipped hour occurs
 * at the end of the gap, and one in the repeated hour occurs once. Other schedules follow the clock: nothing in the
 * gap, twice in the repeated hour.
 */

const FIELDS = ['second', 'minute', 'hour', 'day', 'month', 'day of week'];
/** Of each field: the least and the greatest number, and the names of these numbers in their order. */
const RANGES: [least: number, greatest: number, names?: string][] = [
  [0, 59],
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12, 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'],
  [0, 6, 'SUN MON TUE WED THU FRI SAT'],
];
const EXAMPLE = 'for example "0 30 23 * * *" (every day at 23:30) or "0 0 4 * * 1-5" (Monday to Friday at 4:00)';
const SHAPE = `a schedule has six fields, {${FIELDS.join('} {')}}, ${EXAMPLE}`;
/** A fixed time: whether a schedule ever occurs must not depend on today. */
const EPOCH = new Date('2024-01-01T00:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WEEK = 7 * 24 * HOUR;

function fieldsOf(expr: string): string[] {
  return expr.trim().split(/\s+/);
}

function cron(expr: string, zone: string): Cron {
  return new Cron(fieldsOf(expr).join(' '), {
    mode: '6-part',
    domAndDow: true,
    fixedTimeRule: 'no-wildcard',
    timezone: zone,
  });
}

/** What is wrong with a schedule, with an example of a valid one, or undefined. */
export function scheduleProblem(expr: string): string | undefined {
  const quoted = quote(expr);
  if (expr.trim() === '') return `the schedule is empty; ${SHAPE}`;
  const fields = fieldsOf(expr);
  if (fields.length === 5) {
    return `${quoted} has 5 fields; ${SHAPE}. Add the second at the start: "0 ${fields.join(' ')}"`;
  }
  if (fields.length !== 6) return `${quoted} has ${fields.length} field${fields.length === 1 ? '' : 's'}; ${SHAPE}`;
  for (const [index, field] of fields.entries()) {
    const names = index >= 4;
    if (!(names ? /^[\da-z*,/-]+$/i : /^[\d*,/-]+$/).test(field)) {
      return (
        `${quoted}: ${JSON.stringify(field)} is not a valid ${FIELDS[index]}; use numbers, "*", ",", "-" and ` +
        `"/"${names ? ', and names such as JAN or MON' : ''}, ${EXAMPLE}`
      );
    }
  }
  if (!/^\d+$/.test(fields[0]!)) {
    return `${quoted}: write one number as the second; a schedule cannot recur within a minute, ${EXAMPLE}`;
  }
  const weekday = fields[5]!;
  if (/(?:^|[,-])0*7(?:[,/-]|$)|-sun/i.test(weekday)) {
    return (
      `${quoted}: in ${JSON.stringify(weekday)}, write Sunday as 0 or SUN, and not at the end of a range; use ` +
      '"0,5,6" for Friday to Sunday'
    );
  }
  try {
    if (cron(expr, 'UTC').nextRun(EPOCH)) return undefined;
    return `${quoted} never occurs: no date matches it; ${SHAPE}`;
  } catch (error) {
    const found = fields.map(outOfRange).find((each) => each !== undefined);
    const reason = found ?? (error as Error).message.replace(/CronPattern: (?:Syntax error, )?/, '').replace(/\.$/, '');
    return `${quoted} is not a schedule (${reason}); ${SHAPE}`;
  }
}

/** What a field has that is not in its range, as it is written: the messages of croner count days from 0. */
function outOfRange(field: string, index: number): string | undefined {
  const [least, greatest, list] = RANGES[index]!;
  const names = list?.split(' ') ?? [];
  const isOut = (text: string) =>
    /^\d+$/.test(text) ? Number(text) < least || Number(text) > greatest : !isName(text);
  const isName = (text: string) => !/[a-z]/i.test(text) || names.includes(text.toUpperCase());
  const about = `the ${FIELDS[index]} ${quote(field)} has`;
  for (const part of field.split(',')) {
    const [range = '', step = '1'] = part.split('/');
    const wrong = range.split('-').find(isOut);
    const or = list === undefined ? '' : `, or ${names[0]} to ${names.at(-1)}`;
    if (wrong !== undefined) return `${about} ${quote(wrong)}, and it is ${least} to ${greatest}${or}`;
    const most = greatest - least + 1;
    if (/^\d+$/.test(step) && (Number(step) < 1 || Number(step) > most))
      return `${about} the step ${step}, and steps of it are 1 to ${most}`;
  }
  return undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

/** What is wrong with the name of a time zone, or undefined. */
export function timeZoneProblem(zone: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return undefined;
  } catch {
    return (
      `${quote(zone)} is not a time zone; use an IANA name such as "Europe/Berlin", "America/New_York" or "UTC" ` +
      '(Windows names do not work)'
    );
  }
}

/** The first occurrence after `after`, or undefined if there is none. Throws on an invalid schedule or zone. */
export function nextAfter(expr: string, zone: string, after: Date): Date | undefined {
  return occurrences(expr, zone)(after);
}

/**
 * Finds the first occurrence after a time. Where a gap ends at midnight, as in Greenland, croner looks for an
 * occurrence inside it on the next day, and so skips it.
 */
function occurrences(expr: string, zone: string): (after: Date) => Date | undefined {
  const schedule = cron(expr, zone);
  if (!isPlain(expr)) return (after) => schedule.nextRun(after) ?? undefined;
  const byWallClock = cron(expr, 'UTC');
  const occursIn = ({ wall: [from, to] }: Gap) => {
    const first = byWallClock.nextRun(new Date(from - 1000))?.getTime();
    return first !== undefined && first < to;
  };
  const { gaps } = clockOf(zone);
  return (after) => {
    const next = schedule.nextRun(after) ?? undefined;
    const isBefore = ({ end }: Gap) => end > after.getTime() && (!next || end < next.getTime());
    const gap = gaps.find((each) => isBefore(each) && occursIn(each));
    return gap ? new Date(gap.end) : next;
  };
}

/** Whether a schedule has plain times only, each for a moment of a day. */
function isPlain(expr: string): boolean {
  const [, minute, hour] = fieldsOf(expr) as [string, string, string];
  return !/[*/]/.test(minute + hour);
}

/** The occurrences after `from` and not after `to`, and the first one after `to`; undefined if they are too many. */
export function timesWithin(
  expr: string,
  zone: string,
  { from, to, most }: { from: Date; to: Date; most: number },
): { times: Date[]; next: Date | undefined } | undefined {
  const nextOf = occurrences(expr, zone);
  const times: Date[] = [];
  let next = nextOf(from);
  for (; next && next <= to; next = nextOf(next)) {
    if (times.length === most) return undefined;
    times.push(next);
  }
  return { times, next };
}

/** The last occurrence after `from` and not after `to`, or undefined if there is none. */
export function newestWithin(expr: string, zone: string, from: Date, to: Date): Date | undefined {
  const nextOf = occurrences(expr, zone);
  let newest: Date | undefined;
  // No occurrence is after `end` and not after `to`.
  for (let end = to; ; ) {
    const next = nextOf(newest ?? from);
    if (!next || next > to) return newest;
    const middle = new Date((next.getTime() + end.getTime()) / 2);
    const later = nextOf(middle);
    const isLater = later !== undefined && later <= to;
    newest = isLater ? later : next;
    if (!isLater) end = middle;
  }
}

/**
 * The schedule to register with a host, whose own time zone does not matter. It fires at least hourly, and at every
 * occurrence of `expr` in `zone` if the host's zone is whole hours from UTC; `dueAt` decides which ticks count. The
 * host keeps no record of a timer that recurs within a minute, so it has one second only.
 */
export function hostSchedule(expr: string, zone: string): string {
  const [second, minute] = fieldsOf(expr) as [string, string];
  const { offsets, gaps: all } = clockOf(zone);
  // An occurrence in a gap moves to its end, whatever its minute.
  const gaps = isPlain(expr) ? all.map(({ end }) => new Date(end).getUTCMinutes()) : [];
  const isWholeHours = offsets.every((offset) => offset % 60 === 0);
  if (isWholeHours && (gaps.length === 0 || /^0+$/.test(minute))) return `${second} ${minute} * * * *`;
  const shifted = minutesOf(minute).flatMap((each) => offsets.map((offset) => (((each - offset) % 60) + 60) % 60));
  const minutes = [...new Set([...shifted, ...gaps])].sort((a, b) => a - b);
  return `${second} ${minutes.length === 60 ? '*' : minutes.join(',')} * * * *`;
}

/** The minutes of an hour that a field stands for. */
function minutesOf(field: string): number[] {
  const schedule = cron(`0 ${field} * * * *`, 'UTC');
  const minutes: number[] = [];
  const end = EPOCH.getTime() + HOUR;
  for (let next = schedule.nextRun(new Date(EPOCH.getTime() - 1)); next && next.getTime() < end; ) {
    minutes.push(next.getUTCMinutes());
    next = schedule.nextRun(next);
  }
  return minutes;
}

/** A time that the clock of a zone skips: when that is, and the skipped time by the clock, as if it were UTC. */
interface Gap {
  end: number;
  wall: [from: number, to: number];
}

interface ZoneClock {
  /** From UTC, in minutes. */
  offsets: number[];
  /** In their order. */
  gaps: Gap[];
}

/** Clocks are the same in every run, and looking for their changes takes thousands of formatted times. */
const clocks = new Map<string, ZoneClock>();

/** The clock of a zone in the years 2024 to 2040. */
function clockOf(zone: string): ZoneClock {
  const known = clocks.get(zone);
  if (known) return known;
  const offsetAt = offsetIn(zone);
  const gaps: Gap[] = [];
  const offsets = new Set([offsetAt(EPOCH.getTime())]);
  for (let time = EPOCH.getTime(); time < Date.UTC(2041, 0); time += WEEK) {
    const [earlier, later] = [offsetAt(time), offsetAt(time + WEEK)];
    offsets.add(later);
    if (later <= earlier) continue;
    let [before, after] = [time, time + WEEK];
    while (after - before > MINUTE) {
      const middle = before + Math.floor((after - before) / 2 / MINUTE) * MINUTE;
      if (offsetAt(middle) === earlier) before = middle;
      else after = middle;
    }
    gaps.push({ end: after, wall: [after + earlier * MINUTE, after + later * MINUTE] });
  }
  const clock = { offsets: [...offsets], gaps };
  clocks.set(zone, clock);
  return clock;
}

function offsetIn(zone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (time) => {
    const part = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    return (Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!) - time) / MINUTE;
  };
}
