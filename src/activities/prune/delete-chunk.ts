import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf, type Side } from '#app/problem-code.ts';
import type { BlobState, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { isEntityFile } from '#domain/prune/unneeded-file.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { standingOf } from '#domain/run/lock.ts';
import { type Outcome, outcomeOf, type PlannedItem, type Removed } from '#domain/run/outcome.ts';
import { readBy } from '#domain/run/reader-lock.ts';
import type { PruneReason } from '#domain/run/reasons.ts';
import type { CarryOutRef } from '#domain/run/run.ts';
import { countOutcome } from '#domain/run/tally.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { type ChunkInput, type ChunkResult, pieceKey } from '../run/chunk.ts';
import { type Attempt, type Finding, processItems } from '../run/process-items.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import { writePiece } from '../run/write-piece.ts';
import { knownReaders } from './vault-picture.ts';

/**
 * How many blobs are deleted at once. Within a blob, the order of the plan holds: its snapshots and versions go first.
 */
const BLOBS_AT_ONCE = 16;

/**
 * Deletes the items of a plan chunk, each only if it is still as it was when the plan was made; a base blob only if its
 * source is gone. An item in doubt stays. In the task of a table, the items are files of its entities.
 */
export function deleteChunk(deps: Dependencies, input: ChunkInput<CarryOutRef>): Promise<ChunkResult> {
  return inRun(deps, input, async (context) => {
    const { run, container, tally } = context;
    const { chunk, from } = input;
    const plan = { job: run.job, id: run.prune.plan.run };
    const planned = await context.readPlan<PlannedItem>(chunk.key, plan);
    const table = tableOfTask(container);
    if (table !== undefined) assertEntityFiles(planned, run.job, table);
    const deletion: Deletion = {
      context,
      vault: vaultForDeleting(context),
      container: table === undefined ? container : CONTROL_CONTAINER,
    };
    const outcomes: Outcome[] = [];
    const batches = batchesOf(byBlob(planned.slice(from)));
    const { stopped } = await processItems(context, {
      items: () => batches,
      async perform(batch): Promise<Attempt> {
        const done = await (table === undefined ? deleteBlobs(deletion, batch) : deleteFiles(deletion, batch.flat()));
        return { finding: findingOf(done), settle: () => outcomes.push(...done) };
      },
      failUntried(batch, _, { code, message }) {
        const failures = batch
          .flat()
          .map(({ from: blob }) => outcomeOf(blob, 'failed', { ...which(blob), code, message }));
        outcomes.push(...failures);
      },
      stop: new AbortController(),
      atOnce: 1,
    });
    for (const outcome of outcomes) {
      countOutcome(tally, outcome);
      tally.planned++;
    }
    const isFinished = from + outcomes.length === planned.length;
    const end = stopped ? { stopped } : isFinished ? {} : { next: from + outcomes.length };
    return writePiece(context, pieceKey(input), outcomes, end);
  });
}

/** The vault, by the account that may delete. */
function vaultForDeleting({ deps, job }: RunContext): BlobAccount {
  return deps.blobs(job.retention?.account ?? job.destination.account);
}

/** The control container also holds everything else that the vault knows about itself. */
function assertEntityFiles(items: readonly PlannedItem[], job: string, table: string): void {
  for (const { from } of items) {
    if (isEntityFile(from.name, job, table) && from.snapshotOrVersion === undefined) continue;
    throw new Error(`The plan names ${from.name}, which is not a file of table ${table}; the prune deletes none of it`);
  }
}

/** Consecutive items of the same name. */
function byBlob(items: readonly PlannedItem[]): PlannedItem[][] {
  const groups: PlannedItem[][] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (last?.[0]?.from.name === item.from.name) last.push(item);
    else groups.push([item]);
  }
  return groups;
}

function batchesOf(blobs: PlannedItem[][]): PlannedItem[][][] {
  return Array.from({ length: Math.ceil(blobs.length / BLOBS_AT_ONCE) }, (_, at) =>
    blobs.slice(at * BLOBS_AT_ONCE, (at + 1) * BLOBS_AT_ONCE),
  );
}

/** Without the right to delete, there is no point in trying thousands of items. */
function findingOf(outcomes: readonly Outcome[]): Finding {
  const [first] = outcomes;
  if (first?.code !== 'access-denied-prune' || outcomes.some(({ code }) => code !== first.code)) return 'served';
  return { code: first.code, message: first.message!, attempts: outcomes.length };
}

interface Deletion {
  context: RunContext;
  vault: BlobAccount;
  container: string;
}

/**
 * Deletes the items of some blobs at once. It deletes a base blob only if its source is found to be gone and, checked
 * after that, no run of another job is in progress in this vault: a run that began before may have seen the source, and
 * build on what is here.
 */
async function deleteBlobs(deletion: Deletion, blobs: PlannedItem[][]): Promise<Outcome[]> {
  const bases = blobs.flat().filter(({ from }) => from.snapshotOrVersion === undefined);
  const checked = await Promise.allSettled(bases.map((item) => isSourceGone(deletion.context.source, item)));
  const checks = new Map(bases.map((item, index) => [item, checked[index]!]));
  const isAnyGone = checked.some((check) => check.status === 'fulfilled' && check.value);
  const isQuiet = isAnyGone && !(await areOthersInProgress(deletion.context));
  const done = await Promise.all(
    blobs.map(async (items) => {
      const outcomes: Outcome[] = [];
      for (const item of items) {
        const check = checks.get(item);
        if (check?.status === 'rejected') outcomes.push(failed(item, check.reason, 'source'));
        else if (check && !(isQuiet && check.value)) outcomes.push(left(item));
        else outcomes.push(await deleteOne(deletion, item));
      }
      return outcomes;
    }),
  );
  return done.flat();
}

/**
 * Deletes some files of entities at once; none if another run may have begun, which could build on them, and none that
 * a run restores on its own.
 */
async function deleteFiles(deletion: Deletion, items: PlannedItem[]): Promise<Outcome[]> {
  const { control, run } = deletion.context;
  const lock = await control.readLock(run.job);
  if (standingOf(lock?.value, run) === 'superseded') return items.map(left);
  const readers = await knownReaders(control, run.job);
  const read = new Set(readers.map(({ value }) => readBy(value.run).file));
  return Promise.all(items.map((item) => (read.has(item.from.name) ? left(item) : deleteOne(deletion, item))));
}

/** A source blob of another type is another blob: no copy of it is made over this one. */
async function isSourceGone(source: BlobAccount, { from, origins = [] }: PlannedItem): Promise<boolean> {
  for (const { container, name } of origins) {
    const there = await source.getProperties(container, name);
    if (there?.type === from.type) return false;
  }
  return origins.length > 0;
}

/** Also a run of this job: it may have taken the lock over, and this activity has not noticed yet. */
async function areOthersInProgress({ control, run }: RunContext): Promise<boolean> {
  for (const job of await control.lockedJobs()) {
    const lock = (await control.readLock(job))?.value;
    if (job === run.job ? standingOf(lock, run) === 'superseded' : lock?.run) return true;
  }
  return false;
}

async function deleteOne({ vault, container }: Deletion, item: PlannedItem): Promise<Outcome> {
  const { from: blob } = item;
  try {
    await vault.deleteBlob(container, blob.name, { ifMatch: blob.etag, ...which(blob) });
    return removed(item);
  } catch (error) {
    // This run deleted it and the answer was lost, or another process did.
    if (isStorageError(error, 'not-found', 'container-not-found')) return removed(item);
    // It has been written since, or has newer snapshots: it is no longer what the plan names.
    if (isStorageError(error, 'precondition', 'snapshots-present')) return left(item);
    return failed(item, error, 'destination');
  }
}

function removed(item: PlannedItem): Outcome {
  return outcomeOf(item.from, 'removed', about(item));
}

function left(item: PlannedItem): Outcome {
  return outcomeOf(item.from, 'unchanged', about(item));
}

function failed(item: PlannedItem, error: unknown, side: Side): Outcome {
  if (!isStorageError(error)) throw error;
  const isRefusal = side === 'destination' && error.kind === 'access-denied';
  const code = isRefusal ? 'access-denied-prune' : problemCodeOf(error, side);
  return outcomeOf(item.from, 'failed', { ...about(item), code, message: error.message });
}

function about({ from, reason }: PlannedItem): Pick<Removed, 'snapshotOrVersion' | 'reason'> {
  return { ...which(from), reason: reason as PruneReason };
}

function which({ snapshotOrVersion }: BlobState): { snapshotOrVersion?: SnapshotOrVersion } {
  return snapshotOrVersion ? { snapshotOrVersion } : {};
}
