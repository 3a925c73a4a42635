import type { Job } from '#config/configuration.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import type { MissedStart } from '#domain/watch/missed-start.ts';
import { type CatalogRow, NOT_STARTED } from '#storage/catalog.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { Dependencies } from './dependencies.ts';
import { runsAs } from './job-context.ts';
import { noteInCatalog } from './note-in-catalog.ts';

const MODES = { backup: 'incremental', verify: 'verify', prune: 'prune', reconcile: 'reconcile' } as const;

/**
 * Notes starts that schedules could not make: as rows of the catalog, and for the watch. A vault that is out of reach
 * gets its notes later, for as long as the process lives. If the process ends before, the schedule still owes the run,
 * and the watch finds it overdue.
 */
export async function noteMissedStarts(deps: Dependencies): Promise<void> {
  // A request to a vault that does not answer may take minutes, and the function has a time limit.
  const silent = new Set<string>();
  for (const [id, missed] of deps.missedStarts) {
    const job = runsAs(deps).find(({ name }) => name === missed.job);
    if (job && silent.has(job.destination.account)) continue;
    if (!job || (await isNoted(deps, missed, job))) deps.missedStarts.delete(id);
    else silent.add(job.destination.account);
  }
}

async function isNoted(deps: Dependencies, missed: MissedStart, job: Job): Promise<boolean> {
  const vault = job.destination.account;
  try {
    await new WatchStore(deps.blobs(vault)).noteMissed(missed);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return false;
  }
  await noteInCatalog(deps, vault, rowOf(missed, missed.what === 'backup' ? job.mode : MODES[missed.what]));
  return true;
}

function rowOf({ id, job, due, at, code, run }: MissedStart, mode: string): CatalogRow {
  const message = `${PROBLEMS[code].meaning}${run === undefined ? '' : `: ${run}`}`;
  return {
    ...{ id, job, mode, trigger: 'timer', dryRun: false, status: NOT_STARTED, startedAt: due, finishedAt: at },
    problem: { code, count: 0, message },
  };
}
