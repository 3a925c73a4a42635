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
  const known = new Set(runsAs(deps).map(({ name }) => name));
  const removed = (await context.control.jobsWithRuns()).filter((job) => !known.has(job));
  // At once: it takes minutes to find out whether one is stalled, and the front end waits 230 s.
  await Promise.all(
    removed.flatMap((job) => [
      readersInProgress(deps, { ...context, job: { ...context.job, name: job } }, client),
      endHolder(deps, context, client, job),
    ]),
  );
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
