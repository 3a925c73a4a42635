/** How times are shown: for a person at a terminal in its time zone, or in UTC. */
export type TimeStyle = 'local' | 'utc' | 'iso';

/** A time of the API. What is no time is shown as it is. */
export function shownTime(text: string | null | undefined, style: TimeStyle): string {
  if (text === null || text === undefined) return '';
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  const iso = time.toISOString();
  if (style === 'iso') return `${iso.slice(0, 19)}Z`;
  if (style === 'utc') return `${iso.slice(0, 10)} ${iso.slice(11, 16)}Z`;
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const LOCAL = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?$/;
const ZONED = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * A time that a person wrote, in ISO 8601 and UTC; undefined if it is none. A date is the beginning of its day. What
 * has no time zone is local, or in UTC.
 */
export function instantOf(text: string, isUtc: boolean): string | undefined {
  const written = DATE.test(text) ? `${text}T00:00` : text.replace(' ', 'T');
  if (!DATE.test(text) && !LOCAL.test(text) && !ZONED.test(text)) return undefined;
  const time = new Date(isUtc && !ZONED.test(text) ? `${written}Z` : written);
  // The engine turns 30 February into 2 March.
  const isReal = !Number.isNaN(time.getTime()) && isOnCalendar(text.slice(0, 10));
  return isReal ? time.toISOString() : undefined;
}

function isOnCalendar(date: string): boolean {
  const parsed = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().slice(0, 10) === date;
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Milliseconds of a length of time such as `90s`, `30m`, `2h` or `1d`; undefined if it is none. */
export function durationOf(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  return Number(amount) * SECONDS[unit as keyof typeof SECONDS] * 1000;
}
