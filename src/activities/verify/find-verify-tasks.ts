import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isValidContainerName } from '#domain/blobs/container-template.ts';
import { summaryPath } from '#domain/run/control-paths.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { VerifyRef } from '#domain/run/run.ts';
import { taskOfTable } from '#domain/run/task-name.ts';
import { isValidTableName } from '#domain/tables/table-name.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { pointTasks } from '../restore/point-tasks.ts';
import { type ContainerPair, type FoundTasks, foundTasks } from '../run/container-task.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';

/** All containers and tables of the restore point that a run verifies. */
export async function findVerifyTasks(deps: Dependencies, { job, verify }: VerifyRef): Promise<FoundTasks> {
  const { control, vault } = jobContextOf(deps, job);
  const point = await restorePointSummary(control, job, verify.point);
  await compareWithChain(new ChainStore(vault), point);
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

/** Every part is known by its SHA-256 in the summary, so a summary that was rewritten would prove anything. */
async function compareWithChain(chain: ChainStore, point: { job: string; id: string }): Promise<void> {
  const recorded = await chain.summaryOnRecord(point);
  if (recorded === undefined || recorded === (await chain.sha256Of(summaryPath(point)))) return;
  const message = `The summary of restore point ${point.id} is not the one that its record in the chain names`;
  throw new StorageError('damaged', message);
}
