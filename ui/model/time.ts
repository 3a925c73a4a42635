const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A moment from now on, or until now: `in 2 h 26 min`, `4 min ago`, `just now`. */
export function relative(time: Date, now: Date): string {
  const ms = time.getTime() - now.getTime();
  const size = Math.abs(ms);
  if (!Number.isFinite(size)) return '';
  if (size < 45_000) return ms > 0 ? 'in a moment' : 'just now';
  const words = rounded(size);
  return ms > 0 ? `in ${words}` : `${words} ago`;
}

function rounded(ms: number): string {
  if (ms < HOUR) return `${Math.max(1, Math.round(ms / MINUTE))} min`;
  if (ms < 6 * HOUR) return twoUnits(ms, HOUR, 'h', MINUTE, 'min');
  if (ms < 36 * HOUR) return `${Math.round(ms / HOUR)} h`;
  if (ms < 60 * DAY) return days(Math.round(ms / DAY));
  if (ms < 730 * DAY) return `${Math.round(ms / (30.44 * DAY))} months`;
  return `${Math.round(ms / (365.25 * DAY))} years`;
}

function days(count: number): string {
  return count === 1 ? '1 day' : `${count} days`;
}

/** How long something takes: `11 min 7 s`, `4 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '';
  if (seconds < 1) return 'less than 1 s';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const ms = Math.round(seconds) * 1000;
  if (ms < HOUR) return twoUnits(ms, MINUTE, 'min', 1000, 's');
  if (ms < 2 * DAY) return twoUnits(ms, HOUR, 'h', MINUTE, 'min');
  return twoUnits(ms, DAY, 'd', HOUR, 'h');
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.round((ms % large) / small);
  const carried = rest * small === large;
  const first = Math.floor(ms / large) + (carried ? 1 : 0);
  return rest === 0 || carried ? `${first} ${largeName}` : `${first} ${largeName} ${rest} ${smallName}`;
}

/** How long something is still going to take: rough, since nothing more is known. */
export function about(seconds: number): string {
  if (seconds < 50) return 'less than a minute';
  return `about ${rounded(Math.max(MINUTE, seconds * 1000))}`;
}

/** With the day, the time, and the second: `Sun 29 Nov 2026, 23:30:04 UTC`. */
export function exact(time: Date, timeZone: string | undefined): string {
  return format(time, timeZone, { ...DAY_OF_YEAR, ...SECONDS, timeZoneName: 'short' });
}

/** With the day and the minute, and the year only if it is another one: `Sun 29 Nov, 23:30`. */
export function short(time: Date, now: Date, timeZone: string | undefined): string {
  const { year: _year, ...day } = DAY_OF_YEAR;
  const isThisYear = Math.abs(now.getTime() - time.getTime()) < 180 * DAY;
  return format(time, timeZone, { ...(isThisYear ? day : DAY_OF_YEAR), ...MINUTES });
}

/** Only the time of day: `21:04:10`. */
export function clock(time: Date, timeZone: string | undefined): string {
  return format(time, timeZone, SECONDS);
}

/** Only the day: `Fri 27 Nov`. */
export function day(time: Date, timeZone: string | undefined): string {
  return format(time, timeZone, { weekday: 'short', day: 'numeric', month: 'short' });
}

/** When a day such as `2026-11-27` begins and ends in a zone; undefined if it is none. */
export function dayBounds(date: string, timeZone: string | undefined): { from: Date; to: Date } | undefined {
  const utc = Date.parse(`${date}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(utc)) return undefined;
  return { from: midnight(utc, timeZone), to: midnight(utc + DAY, timeZone) };
}

/** The moment when a clock of the zone shows what one of UTC shows at `utc`. */
function midnight(utc: number, timeZone: string | undefined): Date {
  const first = utc - offsetAt(utc, timeZone);
  // The clock may change between the two.
  return new Date(utc - offsetAt(first, timeZone));
}

/** Milliseconds by which clocks of the zone are ahead of UTC. */
function offsetAt(time: number, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat('en-GB', { ...PARTS, ...(timeZone && { timeZone }) }).formatToParts(time);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second')) - time;
}

const PARTS = {
  ...({ year: 'numeric', month: 'numeric', day: 'numeric' } as const),
  ...({ hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const),
};

const DAY_OF_YEAR = { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' } as const;
const MINUTES = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const SECONDS = { ...MINUTES, second: '2-digit' } as const;

const made = new Map<string, Intl.DateTimeFormat>();

function format(time: Date, timeZone: string | undefined, options: Intl.DateTimeFormatOptions): string {
  if (Number.isNaN(time.getTime())) return 'unknown';
  const name = `${timeZone} ${Object.entries(options)}`;
  const known = made.get(name) ?? new Intl.DateTimeFormat('en-GB', { ...options, ...(timeZone && { timeZone }) });
  made.set(name, known);
  // Versions of the data of languages differ in the comma after the weekday.
  return known.format(time).replace(/^(\w+),/, '$1');
}
