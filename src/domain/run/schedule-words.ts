/**
 * A valid schedule of six fields in plain words, such as `Monday to Friday at 04:00`. The time zone is not part of it.
 */
export function scheduleWords(expr: string): string {
  const fields = expr.trim().split(/\s+/);
  const [second = 0] = numbersIn(fields[0]!, SECONDS);
  const times = timesInWords(numbersIn(fields[1]!, SECONDS), numbersIn(fields[2]!, HOURS), second);
  const days = daysInWords(
    numbersIn(fields[3]!, DAYS),
    numbersIn(fields[4]!, MONTHS, MONTH_NAMES),
    numbersIn(fields[5]!, WEEKDAYS, DAY_NAMES),
  );
  const isOften = times.startsWith('every');
  if (days === '') return isOften ? times : `every day ${times}`;
  return isOften ? `${times}, ${days}` : `${days} ${times}`;
}

type Range = readonly [least: number, greatest: number];
const SECONDS: Range = [0, 59];
const HOURS: Range = [0, 23];
const DAYS: Range = [1, 31];
const MONTHS: Range = [1, 12];
const WEEKDAYS: Range = [0, 6];
const DAY_NAMES = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTH_NAMES = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November'],
  'December',
];
/** More times than these are not listed one by one. */
const MOST_TIMES = 8;

/** The numbers that a field stands for, in their order. */
export function numbersIn(field: string, [least, greatest]: Range, names: readonly string[] = []): number[] {
  const found = new Set<number>();
  const numberOf = (text: string) => {
    const index = names.findIndex((name) => name.slice(0, 3).toLowerCase() === text.toLowerCase());
    return index < 0 ? Number(text) : index + least;
  };
  for (const part of field.split(',')) {
    const [range = '', step] = part.split('/');
    const [from = '', to] = range.split('-');
    const first = from === '*' ? least : numberOf(from);
    const open = from === '*' ? greatest : first;
    const last = to === undefined ? open : numberOf(to);
    for (let each = first; each <= last; each += Number(step ?? 1)) found.add(each);
  }
  return [...found].sort((a, b) => a - b);
}

function timesInWords(minutes: readonly number[], hours: readonly number[], second: number): string {
  if (minutes.length * hours.length <= MOST_TIMES) {
    const times = hours.flatMap((hour) => minutes.map((minute) => clock(hour, minute, second)));
    return `at ${listed(times)}`;
  }
  const often = oftenInWords(minutes);
  if (hours.length === 24) return often;
  const [first, last] = [hours[0]!, hours.at(-1)!];
  const isRange = last - first === hours.length - 1;
  return isRange
    ? `${often} from ${clock(first, 0)} to ${clock(last, 59)}`
    : `${often} in the hours ${listed(hours.map(String))}`;
}

function oftenInWords(minutes: readonly number[]): string {
  const [first = 0, next = 60] = minutes;
  if (minutes.length === 60) return 'every minute';
  const step = next - first;
  const isEven = first === 0 && 60 % step === 0 && minutes.length === 60 / step;
  if (isEven) return step === 60 ? 'every hour' : `every ${step} minutes`;
  return `every hour at minute${minutes.length === 1 ? '' : 's'} ${listed(minutes.map(String))}`;
}

/** Empty for all days. A day of the month and a day of the week must both match. */
function daysInWords(days: readonly number[], months: readonly number[], weekdays: readonly number[]): string {
  const monthNames = listed(months.map((month) => MONTH_NAMES[month - 1]!));
  const inMonths = months.length === 12 ? '' : ` in ${monthNames}`;
  const weekdayNames = weekdays.length === 7 ? '' : weekdaysInWords(weekdays);
  if (days.length === 31) {
    return `${weekdayNames || (inMonths === '' ? '' : 'every day')}${inMonths}`;
  }
  const only = weekdayNames === '' ? '' : `, only ${weekdayNames}`;
  const ofMonth = months.length === 12 ? ' of each month' : ` of ${monthNames}`;
  return `on day${days.length === 1 ? '' : 's'} ${rangesOf(days)}${ofMonth}${only}`;
}

function weekdaysInWords(weekdays: readonly number[]): string {
  const names = weekdays.map((day) => DAY_NAMES[day]!);
  const isRange = weekdays.at(-1)! - weekdays[0]! === weekdays.length - 1;
  if (weekdays.length > 2 && isRange) return `${names[0]} to ${names.at(-1)}`;
  // The week ends with Sunday.
  return listed(weekdays[0] === 0 ? [...names.slice(1), names[0]!] : names);
}

/** Numbers, with three and more in a row as `1 to 7`. */
function rangesOf(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0, end = 0; at < numbers.length; at = end + 1) {
    for (end = at; numbers[end + 1] === numbers[end]! + 1; end++);
    if (end - at < 2) parts.push(...numbers.slice(at, end + 1).map(String));
    else parts.push(`${numbers[at]} to ${numbers[end]}`);
  }
  return listed(parts);
}

function clock(hour: number, minute: number, second = 0): string {
  const parts = second === 0 ? [hour, minute] : [hour, minute, second];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function listed(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
}
