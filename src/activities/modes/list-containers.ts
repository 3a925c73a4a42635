import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { PatternSearch } from '#domain/run/pattern-search.ts';
import type { BackupRef, RetryRef, RunRef } from '#domain/run/run.ts';
import { countingRequests } from '#storage/requests.ts';
import { findFailedTasks } from '../backup/find-failed-tasks.ts';
import { findGoneTasks } from '../backup/find-gone-tasks.ts';
import { findSourceTasks } from '../backup/find-source-tasks.ts';
import { beginPrune } from '../prune/begin-prune.ts';
import { findRestoreTasks } from '../restore/find-restore-tasks.ts';
import type { FoundTasks, ListContainersResult } from '../run/container-task.ts';
import { givingSigns } from '../run/signs-of-life.ts';
import { findVerifyTasks } from '../verify/find-verify-tasks.ts';

export interface ListContainersInput {
  run: RunRef;
  /** Where the page of the list of the account begins. */
  from?: string;
  /** What the page before says of the patterns. */
  search?: PatternSearch;
}

/** Finds the containers and tables that a run works on, some thousand names at a time. */
export function listContainers(deps: Dependencies, input: ListContainersInput): Promise<ListContainersResult> {
  const requests: Record<string, number> = {};
  const { control } = jobContextOf(deps, input.run.job);
  const find = () => givingSigns(deps, control, input.run, () => findTasks(deps, input));
  return countingRequests(requests, async () => ({ ...(await find()), requests }));
}

async function findTasks(deps: Dependencies, { run, ...from }: ListContainersInput): Promise<FoundTasks> {
  switch (run.mode) {
    case 'full':
    case 'incremental':
      return withGone(deps, run, await findSourceTasks(deps, run.job, from));
    case 'reconcile':
    case 'reprocess':
      return findSourceTasks(deps, run.job, from);
    case 'retry':
      return withGone(deps, run, await findFailedTasks(deps, run, from));
    case 'restore':
      return findRestoreTasks(deps, run);
    case 'verify':
      return findVerifyTasks(deps, run);
    case 'prune':
      return beginPrune(deps, run);
  }
}

async function withGone(deps: Dependencies, run: BackupRef | RetryRef, page: FoundTasks): Promise<FoundTasks> {
  // A listing that failed does not show what is gone, and its run leaves no restore point.
  const isCut = page.problems.some(({ container }) => container === undefined);
  if (page.next !== undefined || isCut || run.dryRun) return page;
  return { ...page, containers: [...page.containers, ...(await findGoneTasks(deps, run, page))] };
}
