import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isSameAccount, targetAccount } from '#app/target-account.ts';
import { isLiteral, matches } from '#domain/blobs/container-pattern.ts';
import { expand, isValidContainerName } from '#domain/blobs/container-template.ts';
import { containerProtection, type TargetAccount, tableProtection } from '#domain/restore/protected-target.ts';
import { isRestored } from '#domain/restore/restore.ts';
import { patternsUnmatched } from '#domain/run/nothing-matched.ts';
import { searchOn } from '#domain/run/pattern-search.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { hasRefusedAccess, type RestoreRef, type RunSummary } from '#domain/run/run.ts';
import { tableOfTask, taskOfTable } from '#domain/run/task-name.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { expandTable, isSameTable, isValidTableName, matchesTable } from '#domain/tables/table-name.ts';
import { type ContainerPair, type FoundTasks, foundTasks } from '../run/container-task.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import { type PointTasks, pointTasks } from './point-tasks.ts';

/** The containers and tables that a restore writes; those of a retry are the ones with failures. */
export async function findRestoreTasks(deps: Dependencies, { job, restore, retryOf }: RestoreRef): Promise<FoundTasks> {
  const { control, vault } = jobContextOf(deps, job);
  if (restore.file) return foundTasks(tablesOf(restore, restore.tables, targetAccount(deps, restore.account, [])));
  const point = await restorePointSummary(control, job, restore.point);
  const held = pointTasks(point);
  const isVault = isSameAccount(deps, restore.account, vault.alias);
  const into = targetAccount(deps, restore.account, isVault ? [point] : []);
  const found = {
    ...foundTasks([...containersOf(restore, held, into), ...tablesOf(restore, held.tables, into)]),
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

function containersOf(
  restore: RestoreTask,
  { containers }: PointTasks,
  into: TargetAccount,
): (ContainerPair | Problem)[] {
  const wanted = [...containers].filter(([container]) => isRestored(restore, container));
  const found = wanted.map(([container, vaultLocation]): ContainerPair | Problem => {
    const destination = expand(restore.container, container);
    if (!isValidContainerName(destination)) {
      return problemOf('container-name-invalid', 0, container, `"${destination}" is not a valid container name`);
    }
    const why = containerProtection(destination, container, into);
    if (why !== undefined) return notRestored(container, destination, why);
    return { container, destination, vaultLocation };
  });
  const missing = restore.containers
    .filter((pattern) => isLiteral(pattern) && !containers.has(pattern))
    .map((name) =>
      problemOf('container-not-held', 0, name, `Restore point ${restore.point} has no container "${name}"`),
    );
  return [...found, ...missing];
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

/** The run restores everything else: the name of a container comes from the source, where anyone may have chosen it. */
function notRestored(task: string, target: string, why: string): Problem {
  return problemOf('target-protected', 0, task, `It was not restored: "${target}" ${why}`);
}

function tablesOf(restore: RestoreTask, tables: string[], into: TargetAccount): (ContainerPair | Problem)[] {
  const wanted = tables.map((table) => [table, taskOfTable(table)] as const);
  const found = wanted
    .filter(([, container]) => isRestored(restore, container))
    .map(([table, container]): ContainerPair | Problem => {
      const destination = expandTable(restore.table, table);
      if (!isValidTableName(destination)) {
        return problemOf('container-name-invalid', 0, container, `"${destination}" is not a valid table name`);
      }
      const why = tableProtection(destination, into);
      return why === undefined ? { container, destination } : notRestored(container, destination, why);
    });
  // Restores that earlier versions began have no `tables`.
  const missing = (restore.tables ?? [])
    .filter((pattern) => isLiteral(pattern) && !tables.some((table) => isSameTable(pattern, table)))
    .map((name) =>
      problemOf('container-not-held', 0, taskOfTable(name), `Restore point ${restore.point} has no table "${name}"`),
    );
  return [...found, ...missing];
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
