import { isLiteral } from '../blobs/container-pattern.ts';
import { expand, isValidContainerName } from '../blobs/container-template.ts';
import { type Problem, problemOf } from '../run/problems.ts';
import { taskOfTable } from '../run/task-name.ts';
import type { RestoreTask } from '../run/tasks.ts';
import { expandTable, isSameTable, isValidTableName } from '../tables/table-name.ts';
import type { PointTasks, VaultLocation } from './point-tasks.ts';
import { containerProtection, type TargetAccount, tableProtection } from './protected-target.ts';
import { isRestored } from './restore.ts';

/** A container or table that a restore writes. */
export interface RestoredTask {
  container: string;
  destination: string;
  /** Of a container. */
  vaultLocation?: VaultLocation;
}

/** The containers that a restore writes, and why it leaves others out. */
export function restoredContainers(
  restore: RestoreTask,
  { containers }: PointTasks,
  into: TargetAccount,
): (RestoredTask | Problem)[] {
  const wanted = [...containers].filter(([container]) => isRestored(restore, container));
  const found = wanted.map(([container, vaultLocation]): RestoredTask | Problem => {
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

/** The run restores everything else: the name of a container comes from the source, where anyone may have chosen it. */
function notRestored(task: string, target: string, why: string): Problem {
  return problemOf('target-protected', 0, task, `It was not restored: "${target}" ${why}`);
}

/** The same of its tables. */
export function restoredTables(
  restore: RestoreTask,
  tables: string[],
  into: TargetAccount,
): (RestoredTask | Problem)[] {
  const wanted = tables.map((table) => [table, taskOfTable(table)] as const);
  const found = wanted
    .filter(([, container]) => isRestored(restore, container))
    .map(([table, container]): RestoredTask | Problem => {
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
