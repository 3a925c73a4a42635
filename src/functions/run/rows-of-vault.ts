import pLimit from 'p-limit';
import { runsPrefix } from '#domain/run/control-paths.ts';
import type { RunRef } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { type CatalogRow, catalogRowOf, type RowChoice, startedRow } from '#storage/catalog.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';

export interface WantedRows {
  choice: RowChoice;
  limit: number;
  cursor?: string | undefined;
}

const SUMMARIES_AT_ONCE = 8;
/** The cursors of the catalog are JSON, and never start like this. */
const OF_VAULT = '.';

export function isOfVault(cursor: string): boolean {
  return cursor.startsWith(OF_VAULT);
}

/** The cursor for the runs of a vault that began up to the end of a second, in milliseconds. */
export function cursorUpTo(second: number): string {
  return `${OF_VAULT}${new Date(second).toISOString()} ~`;
}

/**
 * A page of the runs in a vault, newest first, from their summaries: a request for each run of the page, and a listing
 * for each job. `without`: the ids of runs that earlier pages have.
 */
export async function rowsOfVault(
  control: ControlStore,
  { choice, limit, cursor }: WantedRows,
  without: readonly string[] = [],
): Promise<{ rows: CatalogRow[]; next?: string }> {
  const after = cursor?.slice(OF_VAULT.length);
  const jobs = await jobsIn(control, choice.job);
  const keys = (await Promise.all(jobs.map((each) => keysOf(control, each)))).flat();
  const wanted = keys
    .filter((key) => (after === undefined || key < after) && !without.includes(idIn(key)) && isInTime(key, choice))
    .sort()
    .reverse();
  const page = wanted.slice(0, limit);
  const recorded = new Map((await Promise.all(jobs.map((each) => summariesOnRecord(control, each)))).flat());
  const atOnce = pLimit(SUMMARIES_AT_ONCE);
  const rows = await Promise.all(page.map((key) => atOnce(() => rowOf(control, recorded, idIn(key)))));
  return { rows, ...(wanted.length > limit && { next: OF_VAULT + page.at(-1)! }) };
}

async function jobsIn(control: ControlStore, job: string | undefined): Promise<string[]> {
  if (job !== undefined) return [job];
  return [...new Set([...(await control.lockedJobs()), ...(await control.jobsWithRuns())])];
}

/** Whether a run may have started in the time of a choice: its key has whole seconds. */
function isInTime(key: string, { from, to }: RowChoice): boolean {
  const at = Date.parse(key.slice(0, key.indexOf(' ')));
  return (!from || at + 1000 > from.getTime()) && (!to || at <= to.getTime());
}

function idIn(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

/** The runs of a job, each after its time, by which they sort. */
async function keysOf(control: ControlStore, job: string): Promise<string[]> {
  const ids = new Set<string>();
  for await (const folder of control.foldersBelow(runsPrefix(job))) ids.add(folder.split('/').at(-2)!);
  // A run that has just started has left nothing but its lock.
  for (const { id } of await holdersOf(control, job)) ids.add(id);
  return [...ids].flatMap((id) => {
    const startedAt = parseRunId(id)?.startedAt;
    return startedAt ? `${startedAt.toISOString()} ${id}` : [];
  });
}

/** The runs that hold a lock: that of the job, or one of a reader. A lock that cannot be read hides no other run. */
async function holdersOf(control: ControlStore, job: string): Promise<RunRef[]> {
  const [lock, readers] = await Promise.all([unlessDamaged(control.readLock(job)), control.openReaders(job)]);
  return [...(lock?.value.run ? [lock.value.run] : []), ...readers.locks.map(({ value }) => value.run)];
}

async function unlessDamaged<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}

/** The SHA-256 of summaries by run, as the chain of a job names them. */
async function summariesOnRecord(control: ControlStore, job: string): Promise<[run: string, sha256: string][]> {
  const records = await control.chain.listRecords(job);
  return records.flatMap(({ run, sha256 }) => (run && sha256 ? [[run, sha256] as [string, string]] : []));
}

async function rowOf(control: ControlStore, recorded: ReadonlyMap<string, string>, id: string): Promise<CatalogRow> {
  const { job, startedAt } = parseRunId(id)!;
  // GET /api/runs/{id} shows the damage of a summary, and what is left of a lost run.
  const lost = { id, job, mode: 'unknown', trigger: 'unknown', dryRun: false, status: 'failed' };
  const read = () => unlessDamaged(control.readSummary({ job, id }, recorded.get(id)));
  const summary = await read();
  if (summary) return catalogRowOf(summary);
  const running = (await unlessDamaged(control.findLockOf({ job, id })))?.value.run;
  if (running) return startedRow(running);
  // It may have ended since the first read.
  const ended = await read();
  return ended ? catalogRowOf(ended) : { ...lost, startedAt: startedAt.toISOString() };
}
