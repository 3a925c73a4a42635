import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { findRun } from './find-run.ts';

/**
 * The run that holds the lock of a job though it has ended without a summary: the next start of the job closes it.
 * Null if there is none, or if the vault does not answer.
 */
export async function lostRunOf(deps: Dependencies, client: DurableClient, job: string): Promise<string | null> {
  try {
    const run = (await jobContextOf(deps, job).control.readLock(job))?.value.run;
    return run && (await findRun(deps, client, run.id)).state === 'lost' ? run.id : null;
  } catch (error) {
    if (isStorageError(error)) return null;
    throw error;
  }
}
