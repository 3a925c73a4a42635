import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { problemCodeOf, type Side } from '#app/problem-code.ts';
import type { BlobState, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { isEntityFile } from '#domain/prune/unneeded-file.ts';
import { CONTROL_CONTAINER, chunkKey, partPath } from '#domain/run/control-paths.ts';
import { type Standing, standingOf } from '#domain/run/lock.ts';
import { type Outcome, outcomeOf, type PlannedItem } from '#domain/run/outcome.ts';
import type { PruneReason } from '#domain/run/reasons.ts';
import type { CarryOutRef, RunRef } from '#domain/run/run.ts';
import { countOutcome, emptyTally } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { ChunkInput, ChunkResult } from '../run/chunk.ts';
import { writePiece } from '../run/old-write-piece.ts';
import { RunGuard, watchStanding } from '../run/run-guard.ts';

/** Deletions under way at once. They are in the order of the plan within a blob: its base comes after what is kept of it. */
const AT_ONCE = 16;

/**
 * Deletes what a chunk of a plan names, each item only if it is still what it was when the plan was made; of base blobs, only
 * those whose source is not there. Whatever is in doubt stays. Of a table's share, the items are files of its entities.
 */
export async function deleteChunk(deps: Dependencies, input: ChunkInput<CarryOutRef>): Promise<ChunkResult> {
  const { run, container, destination, chunk } = input;
  const { job, source, control } = jobContextOf(deps, run.job);
  const table = tableOfTask(container);
  const vault = deps.blobs(job.retention?.account ?? job.destination.account);
  const tally = emptyTally(container, destination);
  const guard = new RunGuard(control, run, deps.now);
  return countingRequests(tally.requests, async () => {
    const standing = await guard.standing();
    if (standing !== 'go') return { stopped: standing };
    const made = { job: run.job, id: run.prune.plan.run };
    const plan = await control.readPart<PlannedItem, object>(partPath(made, 'plan', container, chunk.key));
    if (table !== undefined) assertEntityFiles(plan.items, run.job, table);
    const place = { vault, source, control, run, container: table === undefined ? container : CONTROL_CONTAINER };
    const blobs = byBlob(plan.items.slice(input.from));
    const started = deps.now().getTime();
    let stopped: Exclude<Standing, 'go'> | undefined;
    const watch = watchStanding(guard, (seen) => {
      stopped = seen;
    });
    const outcomes: Outcome[] = [];
    try {
      for (let at = 0; at < blobs.length && stopped === undefined; at += AT_ONCE) {
        if (at > 0 && deps.now().getTime() - started >= deps.limits.copyMs) break;
        const batch = blobs.slice(at, at + AT_ONCE);
        const done = table === undefined ? await deleteBatch(place, batch) : await deleteFiles(place, batch.flat());
        outcomes.push(...done);
        // Without the right to, there is no point in trying each of thousands.
        if (done.length >= AT_ONCE && done.every(({ code }) => code === 'access-denied-prune')) {
          const { code, message } = done[0]!;
          const rest = blobs.slice(at + AT_ONCE).flat();
          outcomes.push(
            ...rest.map(({ from: blob }) =>
              outcomeOf(blob, 'failed', { ...keptOf(blob), code: code!, message: message! }),
            ),
          );
          break;
        }
      }
    } finally {
      watch.end();
    }
    for (const outcome of outcomes) {
      countOutcome(tally, outcome);
      tally.planned++;
    }
    const key = chunkKey(chunk.slice, chunk.chunk, input.from);
    const rest = plan.items.length - input.from - outcomes.length;
    const end = stopped ? { stopped } : rest > 0 ? { next: input.from + outcomes.length } : {};
    return writePiece(deps, run, key, outcomes, tally, end);
  });
}

/** Beside the files of entities lies all that a vault knows of itself. */
function assertEntityFiles(items: readonly PlannedItem[], job: string, table: string): void {
  for (const { from: source } of items) {
    if (isEntityFile(source.name, job, table) && source.snapshotOrVersion === undefined) continue;
    throw new Error(`The plan names ${source.name}, which is no file of table ${table}: nothing of it is deleted`);
  }
}

/** Consecutive items of the same name. */
function byBlob(items: PlannedItem[]): PlannedItem[][] {
  const groups: PlannedItem[][] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (last?.[0]?.from.name === item.from.name) last.push(item);
    else groups.push([item]);
  }
  return groups;
}

interface Place {
  vault: BlobAccount;
  source: BlobAccount;
  control: ControlStore;
  run: RunRef;
  container: string;
}

/**
 * Deletes some blobs' worth of items at once. A base blob goes only where its source is found to be gone and, looked at after
 * that, no other job is at work in this vault: a run that began before may have seen the source, and count on what is here.
 */
async function deleteBatch(place: Place, blobs: PlannedItem[][]): Promise<Outcome[]> {
  const gone = new Set<PlannedItem>();
  const bases = blobs.flat().filter(({ from: source }) => source.snapshotOrVersion === undefined);
  const looks = await Promise.allSettled(
    bases.map(async (item) => {
      if (await isSourceGone(place.source, item)) gone.add(item);
    }),
  );
  const quiet = gone.size > 0 && !(await othersAtWork(place));
  const broken = new Map(bases.map((item, index) => [item, looks[index]!]));
  const done = await Promise.all(
    blobs.map(async (items) => {
      const outcomes: Outcome[] = [];
      for (const item of items) {
        const look = broken.get(item);
        if (look?.status === 'rejected') outcomes.push(failed(item, look.reason, 'source'));
        else if (look && !(quiet && gone.has(item))) outcomes.push(outcomeOf(item.from, 'unchanged', aboutOf(item)));
        else outcomes.push(await deleteOne(place, item));
      }
      return outcomes;
    }),
  );
  return done.flat();
}

/** Deletes some files of entities at once; once a run may have begun that could go on from them, none. */
async function deleteFiles(place: Place, items: PlannedItem[]): Promise<Outcome[]> {
  const lock = await place.control.readLock(place.run.job);
  if (standingOf(lock?.value, place.run) === 'superseded') {
    return items.map((item) => outcomeOf(item.from, 'unchanged', aboutOf(item)));
  }
  return Promise.all(items.map((item) => deleteOne(place, item)));
}

async function isSourceGone(source: BlobAccount, { origins = [] }: PlannedItem): Promise<boolean> {
  for (const { container, name } of origins) if (await source.getProperties(container, name)) return false;
  return origins.length > 0;
}

/** Also in this run's own job, where its lock has been taken over and nobody has told it yet. */
async function othersAtWork({ control, run }: Place): Promise<boolean> {
  for (const job of await control.lockedJobs()) {
    const lock = (await control.readLock(job))?.value;
    if (job === run.job ? standingOf(lock, run) === 'superseded' : lock?.run) return true;
  }
  return false;
}

async function deleteOne({ vault, container }: Place, item: PlannedItem): Promise<Outcome> {
  const { from: blob } = item;
  try {
    await vault.deleteBlob(container, blob.name, { ifMatch: blob.etag, ...keptOf(blob) });
    return outcomeOf(blob, 'removed', aboutOf(item));
  } catch (error) {
    // This run deleted it, and the answer was lost; or somebody else did.
    if (isStorageError(error, 'not-found', 'container-not-found')) return outcomeOf(blob, 'removed', aboutOf(item));
    // It has been written since, or has snapshots that were made since: then it is not what was planned for.
    if (isStorageError(error, 'precondition', 'snapshots-present')) return outcomeOf(blob, 'unchanged', aboutOf(item));
    return failed(item, error, 'destination');
  }
}

function failed(item: PlannedItem, error: unknown, side: Side): Outcome {
  if (!isStorageError(error)) throw error;
  const isRefusal = side === 'destination' && error.kind === 'access-denied';
  const code = isRefusal ? 'access-denied-prune' : problemCodeOf(error, side);
  return outcomeOf(item.from, 'failed', { ...aboutOf(item), code, message: error.message });
}

function aboutOf({ from: source, reason }: PlannedItem): Partial<Outcome> {
  return { ...keptOf(source), reason: reason as PruneReason };
}

function keptOf({ snapshotOrVersion: kept }: BlobState): { snapshotOrVersion?: SnapshotOrVersion } {
  return kept ? { snapshotOrVersion: kept } : {};
}
