import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isSameAccount, targetAccount } from '#app/target-account.ts';
import { isLiteral, matches } from '#domain/blobs/container-pattern.ts';
import { pointTasks } from '#domain/restore/point-tasks.ts';
import { restoredContainers, restoredTables } from '#domain/restore/restored-tasks.ts';
import { patternsUnmatched } from '#domain/run/nothing-matched.ts';
import { searchOn } from '#domain/run/pattern-search.ts';
import type { Problem } from '#domain/run/problems.ts';
import { hasRefusedAccess, type RestoreRef, type RunSummary } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { matchesTable } from '#domain/tables/table-name.ts';
import { type ContainerPair, type FoundTasks, foundTasks } from '../run/container-task.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';

/** The containers and tables that a restore writes; those of a retry are the ones with failures. */
export async function findRestoreTasks(deps: Dependencies, { job, restore, retryOf }: RestoreRef): Promise<FoundTasks> {
  const { control, vault } = jobContextOf(deps, job);
  if (restore.file)
    return foundTasks(restoredTables(restore, restore.tables, targetAccount(deps, restore.account, [])));
  const point = await restorePointSummary(control, job, restore.point);
  const held = pointTasks(point);
  const isVault = isSameAccount(deps, restore.account, vault.alias);
  const into = targetAccount(deps, restore.account, isVault ? [point] : []);
  const found = {
    ...foundTasks([...restoredContainers(restore, held, into), ...restoredTables(restore, held.tables, into)]),
    remarks: [
      ...unmatched('container', restore.containers, [...held.containers.keys()], matches),
      ...unmatched('table', restore.tables ?? [], held.tables, matchesTable),
    ],
  };
  if (retryOf === undefined) return found;
  const earlier = await control.readSummary({ job, id: retryOf });
  if (!earlier) throw new Error(`The run to retry, ${retryOf}, has no summary`);
  return { ...found, remarks: [], containers: found.containers.flatMap((pair) => pairAgain(earlier, pair)) };
}

function unmatched(
  what: 'container' | 'table',
  patterns: readonly string[],
  names: readonly string[],
  matches: (pattern: string, name: string) => boolean,
): Problem[] {
  const left = patterns.filter((pattern) => !isLiteral(pattern));
  return patternsUnmatched(what, searchOn({ left }, patterns, names, matches));
}

/** A retry restores what failed as a whole, and every table with failures, from the start. */
function pairAgain(earlier: RunSummary, pair: ContainerPair): ContainerPair[] {
  const report = earlier.containers.find(({ container }) => container === pair.container);
  const status = report?.status;
  if (status === 'succeeded') return [];
  const isRefused = report !== undefined && hasRefusedAccess(report);
  const isWhole = status === 'completed-with-failures' && tableOfTask(pair.container) === undefined && !isRefused;
  return isWhole ? [pair] : [{ ...pair, scan: true }];
}
