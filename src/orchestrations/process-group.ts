import type { OrchestrationContext, Task } from 'durable-functions';
import type { ContainerPair } from '#activities/run/container-task.ts';
import type { Problem } from '#domain/run/problems.ts';
import { isBackup, type RunRef } from '#domain/run/run.ts';
import { tableOfShare } from '#domain/run/task-name.ts';
import type { BackupContainerInput, BackupContainerResult } from './process-container.ts';

export interface BackupContainersInput {
  run: RunRef;
  /** At most fifty: a wider tree instead of a longer history. */
  containers: ContainerPair[];
}

export interface BackupContainersResult {
  stopped?: 'cancelled' | 'superseded';
  problems: Problem[];
}

/** Works on a group of containers and tables at once. */
export function* backupContainers(context: OrchestrationContext): Generator<Task, BackupContainersResult, unknown> {
  const { run, containers } = context.df.getInput() as BackupContainersInput;
  const results = (yield context.df.Task.all(
    containers.map((pair) => {
      const input: BackupContainerInput = { run, ...pair };
      const isTable = tableOfShare(pair.container) !== undefined && isBackup(run.mode);
      return context.df.callSubOrchestrator(isTable ? 'backupTable' : 'backupContainer', input);
    }),
  )) as BackupContainerResult[];
  return combine(results.map(({ problem, ...rest }) => ({ ...rest, problems: problem ? [problem] : [] })));
}

/** Superseded weighs more than cancelled: then nothing at all may be written any more. */
export function combine(results: BackupContainersResult[]): BackupContainersResult {
  const reasons = new Set(results.map(({ stopped }) => stopped));
  const stopped = reasons.has('superseded') ? 'superseded' : reasons.has('cancelled') ? 'cancelled' : undefined;
  return { ...(stopped && { stopped }), problems: results.flatMap(({ problems }) => problems) };
}
