import { counted, listed } from './quantity.ts';

/** A day of a job, in its time zone. Null is what is not known; `worst` also if nothing ran. */
export interface Day {
  day: string;
  worst: string | null;
  runs: number | null;
  missed: number | null;
}

export type CellKind = 'good' | 'incomplete' | 'failed' | 'cancelled' | 'running' | 'missed' | 'none' | 'unknown';

export interface Cell {
  kind: CellKind;
  /** Such as `Fri 27 Nov: at least one of 2 backups failed, 1 missed`. */
  text: string;
}

const KINDS: Readonly<Record<string, CellKind>> = {
  failed: 'failed',
  'completed-with-failures': 'incomplete',
  cancelled: 'cancelled',
  succeeded: 'good',
  running: 'running',
};
const WORDS: Readonly<Record<CellKind, string>> = {
  good: 'succeeded',
  incomplete: 'incomplete',
  failed: 'failed',
  cancelled: 'cancelled',
  running: 'running',
  missed: 'missed',
  none: 'none',
  unknown: 'not known',
};

export function cellsOf(strip: readonly Day[]): Cell[] {
  return strip.map(({ day, worst, runs, missed }) => {
    const kind = worst !== null ? (KINDS[worst] ?? 'unknown') : missed ? 'missed' : runs === null ? 'unknown' : 'none';
    const words = [
      ...(kind === 'none' ? ['no backup'] : kind === 'missed' ? [] : kindWords(kind, runs ?? 0)),
      ...(missed ? [`${missed} missed`] : []),
    ];
    return { kind, text: `${dayText(day)}: ${words.join(', ')}` };
  });
}

/** A day is as its worst backup: of several, the others may have ended better. */
function kindWords(kind: CellKind, runs: number): string[] {
  if (runs > 1 && kind !== 'good' && kind !== 'unknown')
    return [`at least one of ${counted(runs, 'backup')} ${WORDS[kind]}`];
  return [WORDS[kind], ...(runs > 0 ? [counted(runs, 'backup')] : [])];
}

/**
 * The whole strip in a sentence, for those who do not see it: normal days as a number, others by their dates. It counts
 * days, not backups, and says so.
 */
export function stripText(strip: readonly Day[]): string {
  const cells = cellsOf(strip);
  const odd = cells.filter(
    ({ kind, text }) => !(kind === 'good' || kind === 'none' || kind === 'running') || text.endsWith('missed'),
  );
  const good = cells.filter((cell) => cell.kind === 'good' && !odd.includes(cell)).length;
  const most = odd.slice(-5).map(({ text }) => text);
  const more = odd.length > most.length ? [`${counted(odd.length - most.length, 'earlier day')} with problems`] : [];
  const first = `Last ${counted(cells.length, 'day')}: every backup succeeded on ${counted(good, 'day')}`;
  return [first, ...(odd.length > 0 ? [listed([...more, ...most])] : [])].join('. ');
}

/** A date of the job's own zone: it is no moment, so no zone changes it. */
function dayText(day: string): string {
  const date = new Date(`${day}T12:00:00Z`);
  if (Number.isNaN(date.getTime())) return day;
  return DAY.format(date);
}

const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' });
