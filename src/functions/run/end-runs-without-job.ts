import type { DurableClient } from 'durable-functions';
import { endRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, runsAs } from '#app/job-context.ts';
import { problemOf } from '#domain/run/problems.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { holderLife, isOver } from './holder-life.ts';
import { readersInProgress } from './readers.ts';

/**
 * Ends the runs of jobs that the configuration does not have, and that are no longer in progress. No start of their own
 * job ends them, and while one has not ended, prunes of the vault delete nothing.
 */
export async function endRunsWithoutJob(deps: Dependencies, context: JobContext, client: DurableClient): Promise<void> {
  try {
    await endAll(deps, context, client);
  } catch (error) {
    // The plan names what is in its way then.
    if (!isStorageError(error)) throw error;
  }
}

async function endAll(deps: Dependencies, context: JobContext, client: DurableClient): Promise<void> {
  const { control, vault } = context;
  const known = new Set(runsAs(deps).map(({ name }) => name));
  for (const job of await control.jobsWithRuns()) {
    if (known.has(job)) continue;
    await readersInProgress(deps, { ...context, job: { ...context.job, name: job } }, client);
    const lock = await control.readLock(job);
    const run = lock?.value.run;
    if (!lock || !run || (await control.readSummary(run))) continue;
    const found = await holderLife(deps, client, control, { value: { run }, age: lock.age });
    if (!(await isOver(deps, control, run, found))) continue;
    await endRun(deps, { run, vault: vault.alias }, 'failed', problemOf('run-lost', 0));
  }
}
