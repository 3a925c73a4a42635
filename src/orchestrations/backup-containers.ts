import type { OrchestrationContext, Task } from 'durable-functions';
import type { ContainerPair } from '../activities/list-containers.ts';
import type { Problem, RunRef } from '../domain/run.ts';
import type { BackupContainerInput, BackupContainerResult } from './backup-container.ts';

export interface BackupContainersInput {
  run: RunRef;
  /** At most fifty: a wider tree instead of a longer history. */
  containers: ContainerPair[];
}

export interface BackupContainersResult {
  stopped?: 'cancelled' | 'superseded';
  problems: Problem[];
}

/** Backs up a group of containers at once. */
export function* backupContainers(context: OrchestrationContext): Generator<Task, BackupContainersResult, unknown> {
  const { run, containers } = context.df.getInput() as BackupContainersInput;
  const results = (yield context.df.Task.all(
    containers.map((pair) => {
      const input: BackupContainerInput = { run, ...pair };
      return context.df.callSubOrchestrator('backupContainer', input);
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
