import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { runsPrefix } from '#domain/run/control-paths.ts';
import { defined } from '#domain/run/defined.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { type CatalogRow, catalogRowOf, startedRow } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { foreignCursor } from '../http/http-error.ts';

/** Why lists come from the vault itself. */
export interface CatalogProblem {
  code: 'catalog-unavailable';
  account: string;
  message: string;
  hint: string;
}

export interface RowPage {
  rows: CatalogRow[];
  next?: string;
  problem?: CatalogProblem;
}

export interface WantedRows {
  job?: string | undefined;
  /** The vault itself has no others. */
  runsOnly?: true;
  limit: number;
  cursor?: string | undefined;
}

const SUMMARIES_AT_ONCE = 8;
/** The cursors of the catalog are Base64, and never start like this. */
const OF_VAULT = '.';

/**
 * A page of the runs in a vault, newest first: from the catalog; without it from the summaries, which costs a request
 * for each run of the page. A list that has begun from the vault ends so.
 */
export async function listRows(deps: Dependencies, vault: string, wanted: WantedRows): Promise<RowPage> {
  const { job, runsOnly, limit, cursor } = wanted;
  if (cursor?.startsWith(OF_VAULT)) return rowsOfVault(deps, vault, wanted);
  let why: string;
  try {
    const page = await deps.catalog(vault).list({ limit, ...defined({ job, runsOnly, cursor }) });
    if (!page.incomplete) return page;
    why = 'The catalog may lack runs from before its table was created';
  } catch (error) {
    if (!isStorageError(error)) throw error;
    if (cursor !== undefined) throw error.kind === 'invalid' ? foreignCursor() : error;
    // The first run of a vault makes the table.
    if (error.kind === 'container-not-found') return withoutTable(deps, vault, wanted, error.message);
    why = error.message;
  }
  return { ...(await rowsOfVault(deps, vault, wanted)), problem: catalogProblem(vault, why) };
}

async function withoutTable(deps: Dependencies, vault: string, wanted: WantedRows, why: string): Promise<RowPage> {
  const page = await rowsOfVault(deps, vault, wanted);
  return page.rows.length === 0 ? page : { ...page, problem: catalogProblem(vault, why) };
}

/** The problems of pages, as lists show them: nothing, if there are none. */
export function catalogProblems(pages: readonly Pick<RowPage, 'problem'>[]): { problems?: CatalogProblem[] } {
  const problems = pages.flatMap(({ problem }) => problem ?? []);
  return problems.length > 0 ? { problems } : {};
}

export function catalogProblem(account: string, message: string): CatalogProblem {
  const code = 'catalog-unavailable';
  return { code, account, message, hint: PROBLEMS[code].hint };
}

async function rowsOfVault(
  deps: Dependencies,
  vault: string,
  { job, limit, cursor }: WantedRows,
): Promise<{ rows: CatalogRow[]; next?: string }> {
  const control = new ControlStore(deps.blobs(vault));
  const after = cursor?.slice(OF_VAULT.length);
  const jobs = await jobsIn(control, job);
  const keys = (await Promise.all(jobs.map((each) => keysOf(control, each)))).flat();
  const wanted = keys
    .filter((key) => after === undefined || key < after)
    .sort()
    .reverse();
  const page = wanted.slice(0, limit);
  const recorded = new Map((await Promise.all(jobs.map((each) => summariesOnRecord(control, each)))).flat());
  const atOnce = pLimit(SUMMARIES_AT_ONCE);
  const rows = await Promise.all(
    page.map((key) => atOnce(() => rowOf(control, recorded, key.slice(key.indexOf(' ') + 1)))),
  );
  return { rows, ...(wanted.length > limit && { next: OF_VAULT + page.at(-1)! }) };
}

async function jobsIn(control: ControlStore, job: string | undefined): Promise<string[]> {
  if (job !== undefined) return [job];
  const jobs = new Set(await control.lockedJobs());
  for await (const folder of control.foldersBelow('jobs/')) jobs.add(folder.split('/')[1]!);
  return [...jobs];
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
