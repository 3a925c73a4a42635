import type { JobContext } from '#app/job-context.ts';
import type { RunLock } from '#domain/run/lock.ts';
import { type Occurrence, servingRun } from '#domain/run/occurrence.ts';
import { leavesOwed } from '#domain/run/run.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** The run that has served this occurrence, if any. One that something ended has not. */
export async function servedBy(
  { control }: Pick<JobContext, 'control'>,
  lock: RunLock | undefined,
  due: Occurrence,
  now: Date,
): Promise<string | undefined> {
  const id = lock && servingRun(lock.served, due, now);
  if (id === undefined) return undefined;
  const summary = await control.readSummary({ job: lock!.job, id }).catch((error) => {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  });
  return summary && leavesOwed(summary) ? undefined : id;
}
