import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isValidContainerName } from '#domain/blobs/container-template.ts';
import { pointTasks } from '#domain/restore/point-tasks.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { VerifyRef } from '#domain/run/run.ts';
import { taskOfTable } from '#domain/run/task-name.ts';
import { isValidTableName } from '#domain/tables/table-name.ts';
import { type ContainerPair, type FoundTasks, foundTasks } from '../run/container-task.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';

/** All containers and tables of the restore point that a run verifies. */
export async function findVerifyTasks(deps: Dependencies, { job, verify }: VerifyRef): Promise<FoundTasks> {
  const { control } = jobContextOf(deps, job);
  const point = await restorePointSummary(control, job, verify.point);
  const { containers, tables } = pointTasks(point);
  return foundTasks([
    ...[...containers].map(([container, vaultLocation]): ContainerPair | Problem => {
      const destination = vaultLocation.container;
      if (isValidContainerName(destination)) return { container, destination, vaultLocation };
      return problemOf('container-name-invalid', 0, container, `"${destination}" is not a valid container name`);
    }),
    ...tables.map((table): ContainerPair | Problem => {
      const container = taskOfTable(table);
      if (isValidTableName(table)) return { container, destination: table };
      return problemOf('container-name-invalid', 0, container, `"${table}" is not a valid table name`);
    }),
  ]);
}
