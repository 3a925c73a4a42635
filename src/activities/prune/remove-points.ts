import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { CONTROL_CONTAINER, notesPath, runPrefix, summaryPath } from '#domain/run/control-paths.ts';
import { standingOf } from '#domain/run/lock.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';

export interface RemovePointsResult {
  /** Restore points of which nothing is left. */
  removed: number;
  requests: Record<string, number>;
  problem?: Problem;
}

/**
 * Takes away the manifests of the restore points that a prune has emptied, each one's summary last but for its notes: until then it
 * is known, and marked. A run whose parts another restore point builds on stays until that one goes; and all of them stay where
 * content could not be deleted, since they are all that tells the next prune where to look for it.
 */
export async function removePoints(deps: Dependencies, { run }: { run: RunRef }): Promise<RemovePointsResult> {
  const { job, control } = jobContextOf(deps, run.job);
  const account = deps.blobs(job.retention?.account ?? job.destination.account);
  const requests: Record<string, number> = {};
  return countingRequests(requests, async () => {
    let removed = 0;
    const plan = await control.readPrunePlan(run);
    if (!plan) throw new Error(`Prune ${run.id} has not been decided yet`);
    if ((await control.listParts(run)).some(({ tally }) => tally.failed > 0)) return { removed, requests };
    const builtOn = await runsBuiltOn(control, plan.keeps);
    const left = await leftNotes(control, run.job);
    for (const id of [...plan.expired, ...left]) {
      const lock = await control.readLock(run.job);
      if (standingOf(lock?.value, run) !== 'go') break;
      const point = { job: run.job, id };
      const { removed: mark } = await control.readNotes(point);
      if (builtOn.has(id) || (mark?.emptied === undefined && !left.includes(id))) continue;
      try {
        await removeFolder(account, point);
        removed++;
      } catch (error) {
        if (!isStorageError(error, 'access-denied')) throw error;
        return { removed, requests, problem: problemOf('access-denied-prune', 0, undefined, error.message) };
      }
    }
    return { removed, requests };
  });
}

/**
 * Restore points of which a removal has left nothing but the notes: it was broken off, or the write of a mark, long given up by who
 * sent it, came after the notes were gone. By these alone they are known.
 */
async function leftNotes(control: ControlStore, job: string): Promise<string[]> {
  const left: string[] = [];
  for (const [id, { removed }] of await control.listNotes(job)) {
    const point = { job, id };
    if (!removed || (await control.readSummary(point))) continue;
    if (removed.emptied !== undefined || (await control.listParts(point)).length === 0) left.push(id);
  }
  return left;
}

/** The runs whose parts are named by a restore point that stays. */
async function runsBuiltOn(control: ControlStore, keeps: { job: string; id: string }[]): Promise<Set<string>> {
  const runs = new Set<string>();
  for (const point of keeps) {
    const summary = await control.readSummary(point);
    for (const { path } of summary?.parts ?? []) runs.add(path.split('/')[3]!);
  }
  return runs;
}

async function removeFolder(account: BlobAccount, point: { job: string; id: string }): Promise<void> {
  const last = summaryPath(point);
  let marker: string | undefined;
  do {
    const page = await account.listBlobs(CONTROL_CONTAINER, {
      prefix: runPrefix(point),
      ...(marker !== undefined && { marker }),
    });
    for (const { name, etag } of page.blobs) if (name !== last) await remove(account, name, etag);
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
    // Gone already: an earlier try, whose answer was lost.
    if (!isStorageError(error, 'not-found')) throw error;
  }
}
