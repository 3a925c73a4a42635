import pLimit from 'p-limit';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { isRemovedByPrune } from '#app/removed-by-prune.ts';
import { runPrefix, runsPrefix } from '#domain/run/control-paths.ts';
import type { PointOnRecord } from '#domain/run/point-on-record.ts';
import { type Catalog, type CatalogPage, catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, reply } from './http/answering.ts';
import { readCursor, writeCursor } from './http/cursor.ts';
import { foreignCursor, HttpError } from './http/http-error.ts';
import { missingPoint } from './run/absent-point.ts';
import { pointsOnRecord, runsAround } from './run/catalog-difference.ts';
import { vaultsOf } from './run/find-run.ts';
import { catalogProblem } from './run/list-rows.ts';

/** Azure waits 230 s for an answer. The page that is begun by then follows. */
const ENOUGH_MS = 60_000;
/** Two requests for each run: a page takes a few seconds. */
const RUNS_PER_PAGE = 1_000;
const RUNS_AT_ONCE = 32;
const ROWS_PER_PAGE = 500;
const ASKED = ['rebuild'];

interface Rebuilt {
  runs: number;
  damaged: string[];
}

/**
 * Where to continue: in a job of a vault, at the beginning or after a page of its runs; without a job, in the rows of
 * its catalog.
 */
interface Position {
  vault: string;
  job?: string;
  marker?: string | undefined;
}

/**
 * POST /api/catalog/rebuild — writes the catalog again from the summaries in every vault; names those it cannot read.
 * Then it empties rows of runs that a vault no longer has. An answer that has more to do has a cursor.
 */
export function rebuildCatalogHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.rebuildCatalog, async ({ query: { cursor } }) => {
    const from = cursor === undefined ? undefined : positionIn(readCursor(cursor, ASKED));
    const rebuilt: Rebuilt = { runs: 0, damaged: [] };
    const next = await rebuild(deps, from, rebuilt);
    return reply(200, { ...rebuilt, next: next ? writeCursor(JSON.stringify(next), ASKED) : null });
  });
}

/** Rebuilds page by page until the time is over. Returns where to continue. */
async function rebuild(
  deps: Dependencies,
  from: Position | undefined,
  rebuilt: Rebuilt,
): Promise<Position | undefined> {
  const deadline = deps.now().getTime() + ENOUGH_MS;
  const all = vaultsOf(deps);
  if (from && !all.includes(from.vault)) throw foreignCursor();
  for (const vault of from ? all.slice(all.indexOf(from.vault)) : all) {
    await assertUsable(deps, vault);
    const start = vault === from?.vault ? from : { vault, job: '' };
    const next = await rebuildVault(deps, start, deadline, rebuilt);
    if (next) return next;
  }
  return undefined;
}

/** The same of one vault: first the runs that it has, then the rows of those that it does not have. */
async function rebuildVault(
  deps: Dependencies,
  { vault, ...start }: Position,
  deadline: number,
  rebuilt: Rebuilt,
): Promise<Position | undefined> {
  const control = new ControlStore(deps.blobs(vault));
  const isLate = () => deps.now().getTime() >= deadline;
  const jobs = (await control.jobsWithRuns()).sort();
  for (const job of jobs.filter((each) => start.job !== undefined && each >= start.job)) {
    let marker = job === start.job ? start.marker : undefined;
    do {
      if (isLate()) return { vault, job, marker };
      marker = await rebuildPage(deps, { vault, job, marker }, control, rebuilt);
    } while (marker !== undefined);
  }
  let marker = start.job === undefined ? start.marker : undefined;
  do {
    if (isLate()) return { vault, marker };
    marker = await emptyPage(deps, { vault, marker }, control, { jobs: new Set(jobs), damaged: rebuilt.damaged });
  } while (marker !== undefined);
  if (jobs.length > 0) await deps.catalog(vault).markComplete();
  return undefined;
}

/** Writes the rows of a page of runs. Returns the marker of the next page. */
async function rebuildPage(
  deps: Dependencies,
  { vault, job, marker }: { vault: string; job: string; marker: string | undefined },
  control: ControlStore,
  rebuilt: Rebuilt,
): Promise<string | undefined> {
  const about = { prefix: runsPrefix(job), delimiter: '/', limit: RUNS_PER_PAGE };
  const page = await control.list({ ...about, ...(marker !== undefined && { marker }) }).catch((error) => {
    throw marker !== undefined && isStorageError(error, 'invalid') ? foreignCursor() : error;
  });
  const atOnce = pLimit(RUNS_AT_ONCE);
  const ids = page.prefixes.map((folder) => folder.split('/').at(-2)!);
  const { points } = await control.chain.pointsOnRecord(job);
  const row = (id: string) => rebuildRow(deps, vault, control, { run: { job, id }, onRecord: points.get(id) }, rebuilt);
  await Promise.all(ids.map((id) => atOnce(() => row(id))));
  return page.next;
}

async function rebuildRow(
  deps: Dependencies,
  alias: string,
  control: ControlStore,
  { run, onRecord }: { run: { job: string; id: string }; onRecord: PointOnRecord | undefined },
  rebuilt: Rebuilt,
): Promise<void> {
  try {
    const summary = await control.readSummary(run, onRecord?.sha256);
    if (!summary) {
      // The record of a restore point follows its summary.
      if (onRecord && !(await isRemovedByPrune(control, run))) throw missingPoint(run.id);
      return;
    }
    await deps.catalog(alias).put(catalogRowOf(summary));
    rebuilt.runs++;
  } catch (error) {
    if (!isStorageError(error, 'damaged')) throw error;
    rebuilt.damaged.push(error.message);
  }
}

/**
 * Empties the rows, in a page of the catalog, of runs that the vault no longer has. The rows of a job without any run
 * stay, and it is named: they show that the vault has lost its runs. Returns the next page's cursor.
 */
async function emptyPage(
  deps: Dependencies,
  { vault, marker }: Position,
  control: ControlStore,
  { jobs, damaged }: { jobs: ReadonlySet<string>; damaged: string[] },
): Promise<string | undefined> {
  const catalog = deps.catalog(vault);
  const page = await rowsFrom(catalog, marker);
  const there = new Set(await runsAround(control, [...jobs], page.rows));
  const atOnce = pLimit(RUNS_AT_ONCE);
  const unknown = page.rows.filter(({ id, job }) => jobs.has(job) && !there.has(id));
  const onRecord = await pointsOnRecord(control, unknown);
  await Promise.all(
    unknown.map((row) =>
      atOnce(async () => {
        if (await isThere(control, row)) return;
        const point = onRecord.get(row.id);
        if (!point) await catalog.empty(row);
        else if (!(await isRemovedByPrune(control, row))) damaged.push(missingPoint(row.id).message);
      }),
    ),
  );
  const lost = new Set(page.rows.map(({ job }) => job).filter((job) => !jobs.has(job)));
  for (const job of lost) {
    // One that has just begun is not lost: the jobs were listed before it wrote anything.
    const running = page.rows.find((row) => row.job === job && row.status === 'running');
    if (running && (await isThere(control, running))) continue;
    const message = `The catalog of ${vault} lists runs of job "${job}", of which the vault has nothing`;
    if (!damaged.includes(message)) damaged.push(message);
  }
  return page.next;
}

/** A page of the catalog; empty if the first row has yet to make the table. */
async function rowsFrom(catalog: Catalog, marker: string | undefined): Promise<CatalogPage> {
  try {
    // What was not started has left nothing else.
    return await catalog.list({
      runsOnly: true,
      limit: ROWS_PER_PAGE,
      ...(marker !== undefined && { cursor: marker }),
    });
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return { rows: [] };
    throw error;
  }
}

/** Whether the vault has anything of a run. One that has just begun may have left only its lock. */
async function isThere(control: ControlStore, run: { job: string; id: string }): Promise<boolean> {
  const hasObjects = async () => (await control.list({ prefix: runPrefix(run), limit: 1 })).blobs.length > 0;
  if (await hasObjects()) return true;
  try {
    if (await control.findLockOf(run)) return true;
  } catch (error) {
    if (isStorageError(error, 'damaged')) return true;
    throw error;
  }
  // It may have ended since.
  return hasObjects();
}

async function assertUsable(deps: Dependencies, alias: string): Promise<void> {
  try {
    await deps.catalog(alias).list({ limit: 1 });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // The first row makes the table.
    if (error.kind === 'container-not-found') return;
    const { code, message, hint } = catalogProblem(alias, 'catalog-unavailable', error.message);
    throw new HttpError(isStorageError(error, 'unreachable', 'throttled') ? 503 : 502, code, message, hint);
  }
}

function positionIn(text: string): Position {
  const { vault, job, marker } = JSON.parse(text) as Position;
  return { vault, marker, ...(job !== undefined && { job }) };
}
