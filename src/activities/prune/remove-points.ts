import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { CONTROL_CONTAINER, notesPath, runPrefix, summaryPath } from '#domain/run/control-paths.ts';
import { standingOf } from '#domain/run/lock.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { type RunRef, runsNamedBy } from '#domain/run/run.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { StopReason } from '../run/run-guard.ts';
import { givingSigns } from '../run/signs-of-life.ts';

export interface RemovePointsResult {
  /** How many restore points are completely gone. */
  removed: number;
  /** Whether restore points are left for the next execution. */
  next?: true;
  requests: Record<string, number>;
  problem?: Problem;
  /** The run may not continue. The next prune removes the rest. */
  stopped?: StopReason;
}

/**
 * Deletes the manifests of the restore points that a prune has emptied, some at a time. It deletes the summary last,
 * and the notes after it: until then the restore point is known, and marked. A run whose parts another restore point
 * builds on stays as long as that one. All of them stay if content could not be deleted, because only they lead the
 * next prune to it. The locks of readers that have ended go with them.
 */
export async function removePoints(deps: Dependencies, { run }: { run: RunRef }): Promise<RemovePointsResult> {
  const requests: Record<string, number> = {};
  const { control } = jobContextOf(deps, run.job);
  const remove = () => givingSigns(deps, control, run, () => removeEmptied(deps, run));
  return countingRequests(requests, async () => ({ ...(await remove()), requests }));
}

async function removeEmptied(deps: Dependencies, run: RunRef): Promise<Omit<RemovePointsResult, 'requests'>> {
  const { job, vault, control } = jobContextOf(deps, run.job);
  const account = deps.blobs(job.retention?.account ?? job.destination.account);
  let removed = 0;
  const plan = await control.readPrunePlan(run);
  if (!plan) throw new Error(`Prune ${run.id} has not been decided yet`);
  if ((await control.listParts(run)).some(({ tally }) => tally.failed > 0)) return { removed };
  const deadline = deps.now().getTime() + deps.limits.scanMs;
  const builtOn = await runsBuiltOn(control, plan.keeps);
  const left = [
    ...(await pointsWithOnlyNotes(control, run.job)),
    ...(await removedBefore(vault, control, run.job, plan.leftovers)),
  ];
  for (const id of new Set([...plan.expired, ...left])) {
    const standing = standingOf((await control.readLock(run.job))?.value, run);
    if (standing !== 'go') return { removed, stopped: standing };
    const point = { job: run.job, id };
    const { removed: mark } = await control.readNotes(point);
    if (builtOn.has(id) || (mark?.emptied === undefined && !left.includes(id))) continue;
    if (removed > 0 && deps.now().getTime() >= deadline) return { removed, next: true };
    const problem = await deniedBy(() => removeFolder(account, point));
    if (problem) return { removed, problem };
    removed++;
  }
  const problem = await deniedBy(() => removeReaders(account, control, run.job, new Date(plan.before)));
  return { removed, ...(problem && { problem }) };
}

async function deniedBy(deleting: () => Promise<void>): Promise<Problem | undefined> {
  try {
    await deleting();
    return undefined;
  } catch (error) {
    if (!isStorageError(error, 'access-denied')) throw error;
    return problemOf('access-denied-prune', 0, undefined, error.message);
  }
}

/** A reader without a lock may not continue, so nothing depends on the lock of one that has ended. */
async function removeReaders(account: BlobAccount, control: ControlStore, job: string, before: Date): Promise<void> {
  for (const { name, etag } of await control.endedReaders(job, before)) await remove(account, name, etag);
}

/**
 * Restore points of which a removal has left only the notes: the removal was interrupted, or a mark, sent long before,
 * was written after the notes were deleted. Only the notes show that they existed.
 */
async function pointsWithOnlyNotes(control: ControlStore, job: string): Promise<string[]> {
  const left: string[] = [];
  for (const [id, { removed }] of await control.listNotes(job)) {
    const point = { job, id };
    if (!removed || (await control.readSummary(point))) continue;
    if (removed.emptied !== undefined || (await control.listParts(point)).length === 0) left.push(id);
  }
  return left;
}

/** Of the leftovers that a plan names, those that have no summary, and that the chain says a prune has emptied. */
async function removedBefore(
  vault: BlobAccount,
  control: ControlStore,
  job: string,
  leftovers: readonly string[] = [],
): Promise<string[]> {
  if (leftovers.length === 0) return [];
  const emptied = await new ChainStore(vault).emptiedPoints(job);
  const isThere = await Promise.all(leftovers.map((id) => control.readSummary({ job, id })));
  return leftovers.filter((id, index) => emptied.has(id) && !isThere[index]);
}

/** The runs whose objects a remaining restore point names. */
async function runsBuiltOn(control: ControlStore, keeps: { job: string; id: string }[]): Promise<Set<string>> {
  const runs = new Set<string>();
  for (const point of keeps) {
    const summary = await control.readRecordedSummary(point);
    for (const id of summary ? runsNamedBy(summary) : []) runs.add(id);
  }
  return runs;
}

const DELETES_AT_ONCE = 16;

async function removeFolder(account: BlobAccount, point: { job: string; id: string }): Promise<void> {
  const last = summaryPath(point);
  const atOnce = pLimit(DELETES_AT_ONCE);
  let marker: string | undefined;
  do {
    const page = await account.listBlobs(CONTROL_CONTAINER, {
      prefix: runPrefix(point),
      ...(marker !== undefined && { marker }),
    });
    const others = page.blobs.filter(({ name }) => name !== last);
    await Promise.all(others.map(({ name, etag }) => atOnce(() => remove(account, name, etag))));
    marker = page.next;
  } while (marker !== undefined);
  for (const name of [last, notesPath(point)]) {
    const found = await account.getProperties(CONTROL_CONTAINER, name);
    if (found) await remove(account, name, found.etag);
  }
}

async function remove(account: BlobAccount, name: string, ifMatch: string): Promise<void> {
  try {
    await account.deleteBlob(CONTROL_CONTAINER, name, { ifMatch });
  } catch (error) {
    // Already gone: the answer to an earlier attempt was lost.
    if (!isStorageError(error, 'not-found')) throw error;
  }
}
