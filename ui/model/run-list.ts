import { type Mark, markOfRun } from './mark.ts';
import { shownText } from './name.ts';
import { lackWords } from './points.ts';
import { isBackup, type RunRow, resultOf, starterOf, titleOf } from './run-words.ts';
import { dayBounds, duration } from './time.ts';

/** The filters of the list of runs, as they are in the address. Empty: any. */
export interface RunFilters {
  job: string;
  mode: string;
  status: string;
  /** How many days back; empty: all. */
  days: string;
  /** One day, such as `2026-11-27`, in the time zone of the job; empty: all. */
  day: string;
  /** `yes`: previews (dry runs), too. */
  previews: string;
}

export const DAYS = ['1', '7', '30', '90'] as const;
export const STATUSES = [
  'running',
  'succeeded',
  'completed-with-failures',
  'failed',
  'cancelled',
  'not-started',
] as const;

export function filtersOf(query: URLSearchParams): RunFilters {
  const of = (name: string) => query.get(name) ?? '';
  const { days, day } = { days: of('days'), day: of('day') };
  return { job: of('job'), mode: of('mode'), status: of('status'), days, day, previews: of('previews') };
}

export function isFiltered({ job, mode, status, days, day }: RunFilters): boolean {
  return [job, mode, status, days, day].some((each) => each !== '');
}

/** The query of the API. The start is on the minute, so that the same question has the same address for a while. */
export function queryOf(
  { job, mode, status, days, day, previews }: RunFilters,
  now: Date,
  timeZone: string | undefined,
): Record<string, string | number | undefined> {
  const back = Number(days) * 86_400_000;
  const from = Math.floor((now.getTime() - back) / 60_000) * 60_000;
  const bounds = dayBounds(day, timeZone);
  return {
    ...{ job, mode, status },
    from: bounds ? bounds.from.toISOString() : back > 0 ? new Date(from).toISOString() : undefined,
    to: bounds && new Date(bounds.to.getTime() - 1).toISOString(),
    dryRun: previews === 'yes' ? undefined : 'false',
    limit: 50,
  };
}

/** A row of the list: what it was, how it ended, and why. */
export interface RunLine {
  id: string;
  job: string;
  mark: Mark;
  title: string;
  startedAt: string;
  took: string;
  starter: string;
  /** Why it ended so; null if there is nothing to say. */
  why: { code: string; text: string } | null;
  /** What came of it. */
  result: string;
  isPreview: boolean;
}

export function runLineOf(row: RunRow): RunLine {
  const { id, job, status, startedAt, seconds, problem, problems, dryRun, point } = row;
  const lacks = point && isBackup(row) ? lackWords(point.lacks) : '';
  const ran = status !== 'not-started' && row.counts !== undefined;
  return {
    ...{ id, job, startedAt, isPreview: dryRun },
    mark: markOfRun(status),
    title: titleOf(row),
    took: seconds === null ? '' : duration(seconds),
    starter: starterOf(row),
    why: problem && { code: problem.code, text: whyOf(problem, problems ?? 1) },
    result: ran ? [resultOf(row), ...(lacks && !problem ? [`lacks ${lacks}`] : [])].join(' · ') : '',
  };
}

function whyOf({ container, message }: NonNullable<RunRow['problem']>, problems: number): string {
  const more = problems > 1 ? ` (and ${problems - 1} more)` : '';
  // Some messages begin with the name of the container.
  const where = container === undefined || message.startsWith(container) ? '' : `${container}: `;
  return shownText(`${where}${message}${more}`);
}

/** Milliseconds until the list is asked for again. */
export function paceOfList(rows: readonly RunRow[]): number {
  return rows.some(({ status }) => status === 'running') ? 5_000 : 30_000;
}
