import { runsPrefix } from '#domain/run/control-paths.ts';
import type { PointOnRecord } from '#domain/run/point-on-record.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { type CatalogRow, NOT_STARTED, type RowChoice } from '#storage/catalog.ts';
import type { ControlStore } from '#storage/control/control-store.ts';

/** Where a page of the catalog ended. */
export interface PageEnd {
  /** When the last run of the page began, without its fraction of a second, in milliseconds. */
  second: number;
  /** The runs so far whose ids do not show that they are newer than this second: the next pages list none of them. */
  ids: string[];
}

export interface CheckedPage {
  rows: readonly CatalogRow[];
  isLast: boolean;
  /** Absent for a first page. */
  before: PageEnd | undefined;
}

/** Undefined as long as no page has had a row. */
export function pageEnd({ rows, before }: Pick<CheckedPage, 'rows' | 'before'>): PageEnd | undefined {
  const last = rows.at(-1);
  if (!last) return before;
  const second = secondOf(last);
  const ids = [...(before?.ids ?? []), ...rows.map(({ id }) => id)];
  return { second, ids: ids.filter((id) => timeIn(id) <= second) };
}

/**
 * How a page of the catalog differs from the runs that the vault has, as a sentence; undefined if it does not. Costs
 * one listing for each job, of the time that the page covers, and one of the jobs. All runs of the job and of the time
 * that are chosen have to be in the pages.
 */
export async function differenceIn(
  control: ControlStore,
  { job, from: since, to: until }: RowChoice,
  page: CheckedPage,
  now: Date,
): Promise<string | undefined> {
  const { rows, isLast, before } = page;
  const end = pageEnd(page);
  // Nothing shows what a page without rows covers. The page after it covers that, too.
  if (!end && !isLast) return undefined;
  const from = isLast ? Number.NEGATIVE_INFINITY : end!.second;
  const to = before?.second ?? now.getTime();
  const jobs = job === undefined ? await control.jobsWithRuns() : [job];
  const runs = await runsAround(control, jobs, rows, [from, to]);
  const listed = new Set([...rows.map(({ id }) => id), ...(before?.ids ?? [])]);
  // The time in an id has whole seconds.
  const isChosen = (at: number) => (!since || at >= since.getTime()) && (!until || at + 1000 <= until.getTime());
  const isCovered = (at: number) => at > from && at <= to && isChosen(at);
  const missing = runs.filter((id) => !listed.has(id) && isCovered(timeIn(id)));
  if (missing.length > 0) return `The catalog lacks ${named(missing)}, or has no readable row of it`;
  const found = new Set(runs);
  // A run that has just begun has left only its lock, and one that was not started has left nothing.
  const isThere = ({ id, job, status }: CatalogRow) =>
    parseRunId(id)?.job === job && (found.has(id) || status === 'running' || status === NOT_STARTED);
  const extra = rows.filter((row) => !isThere(row));
  const onRecord = await pointsOnRecord(control, extra);
  const unknown = extra.map(({ id }) => id).filter((id) => !onRecord.has(id));
  return unknown.length > 0 ? `The catalog lists ${named(unknown)}, of which the vault has nothing` : undefined;
}

/**
 * The ids of the runs that have left anything, and may have begun between the first and the last of these rows, and at
 * these times. One listing for each job.
 */
export async function runsAround(
  control: ControlStore,
  jobs: readonly string[],
  rows: readonly CatalogRow[],
  others: readonly number[] = [],
): Promise<string[]> {
  const times = [...others, ...rows.map(({ id }) => timeIn(id))];
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const start = Number.isFinite(from) && Number.isFinite(to) ? commonStart(stampOf(from), stampOf(to)) : '';
  const idsOf = async (job: string) => {
    const ids: string[] = [];
    for await (const folder of control.foldersBelow(`${runsPrefix(job)}${job}-${start}`)) {
      ids.push(folder.split('/').at(-2)!);
    }
    return ids.filter((id) => parseRunId(id)?.job === job);
  };
  return (await Promise.all(jobs.map(idsOf))).flat();
}

/**
 * What the chain knows of the restore points of these rows. Rows of points that prunes have emptied stay, and one whose
 * run is gone from the vault is lost, which lists say of it.
 */
export async function pointsOnRecord(
  control: ControlStore,
  rows: readonly CatalogRow[],
): Promise<ReadonlyMap<string, PointOnRecord>> {
  const jobs = new Set(rows.map(({ job }) => job));
  const known = await Promise.all([...jobs].map((job) => control.chain.pointsOnRecord(job)));
  return new Map(known.flatMap(({ points }) => [...points]));
}

function named(ids: string[]): string {
  const [newest] = ids.sort((a, b) => timeIn(b) - timeIn(a));
  return ids.length === 1 ? `run ${newest}` : `${ids.length} runs, such as ${newest}`;
}

function timeIn(id: string): number {
  return parseRunId(id)?.startedAt.getTime() ?? Number.NaN;
}

function secondOf({ startedAt }: CatalogRow): number {
  return Math.floor(Date.parse(startedAt) / 1000) * 1000;
}

/** As in the id of a run. */
function stampOf(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
