import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { standingOf } from '#domain/run/lock.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { clearRun } from '../run/clear-run.ts';
import type { StopReason } from '../run/run-guard.ts';
import { givingSigns } from '../run/signs-of-life.ts';

export interface ClearOldRunsInput {
  run: RunRef;
  /** Where to continue in the list of the plan; absent at the beginning. */
  from?: number;
}

export interface ClearOldRunsResult {
  next?: number;
  /** The run may not continue. The next prune clears the rest. */
  stopped?: StopReason;
  problem?: Problem;
  requests: Record<string, number>;
}

const RUNS_AT_ONCE = 8;

/** Deletes everything but the summaries of the old runs that a plan names, some at a time. */
export async function clearOldRuns(deps: Dependencies, input: ClearOldRunsInput): Promise<ClearOldRunsResult> {
  const requests: Record<string, number> = {};
  const { control } = jobContextOf(deps, input.run.job);
  const work = () => givingSigns(deps, control, input.run, () => clearSome(deps, input));
  return countingRequests(requests, async () => ({ ...(await work()), requests }));
}

async function clearSome(
  deps: Dependencies,
  { run, from = 0 }: ClearOldRunsInput,
): Promise<Omit<ClearOldRunsResult, 'requests'>> {
  const { job, control } = jobContextOf(deps, run.job);
  const account = deps.blobs(job.retention?.account ?? job.destination.account);
  const { oldRuns = [] } = (await control.readPrunePlan(run)) ?? {};
  const deadline = deps.now().getTime() + deps.limits.scanMs;
  const isOver = () => deps.now().getTime() >= deadline;
  for (let at = from; at < oldRuns.length; at += RUNS_AT_ONCE) {
    if (at > from && isOver()) return { next: at };
    const standing = standingOf((await control.readLock(run.job))?.value, run);
    if (standing !== 'go') return { stopped: standing };
    const some = oldRuns.slice(at, at + RUNS_AT_ONCE);
    try {
      await Promise.all(some.map((id) => clearRun(account, { job: run.job, id })));
    } catch (error) {
      if (!isStorageError(error, 'access-denied')) throw error;
      return { problem: problemOf('access-denied-prune', 0, undefined, error.message) };
    }
  }
  return {};
}
