import type { DurableClient } from 'durable-functions';
import pLimit from 'p-limit';
import { endRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, runsAs } from '#app/job-context.ts';
import { problemOf } from '#domain/run/problems.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { holderLife, isOver } from './holder-life.ts';
import { readersInProgress } from './readers.ts';

/** A vault may have had any number of jobs. It takes minutes to find out whether one run is stalled. */
const JOBS_AT_ONCE = 32;

/**
 * Ends the runs of jobs that the configuration does not have, and that are no longer in progress. No start of their own
 * job ends them, and while one has not ended, prunes of the vault delete nothing. What cannot be read of one job hides
 * no other: the plan names what is in its way then.
 */
export async function endRunsWithoutJob(deps: Dependencies, context: JobContext, client: DurableClient): Promise<void> {
  const known = new Set(runsAs(deps).map(({ name }) => name));
  const atOnce = pLimit(JOBS_AT_ONCE);
  await unlessStorageFails(async () => {
    const removed = (await context.control.jobsWithRuns()).filter((job) => !known.has(job));
    await atOnce.map(removed, (job) => {
      const own = { ...context, job: { ...context.job, name: job } };
      return Promise.all([
        unlessStorageFails(() => readersInProgress(deps, own, client)),
        unlessStorageFails(() => endHolder(deps, context, client, job)),
      ]);
    });
  });
}

async function unlessStorageFails(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}

async function endHolder(
  deps: Dependencies,
  { control, vault }: JobContext,
  client: DurableClient,
  job: string,
): Promise<void> {
  const lock = await control.readLock(job);
  const run = lock?.value.run;
  if (!lock || !run || (await control.readSummary(run))) return;
  const found = await holderLife(deps, client, control, { value: { run }, age: lock.age });
  if (!(await isOver(deps, control, run, found))) return;
  await endRun(deps, { run, vault: vault.alias }, 'failed', problemOf('run-lost', 0));
}
