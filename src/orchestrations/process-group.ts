import type { OrchestrationContext, Task } from 'durable-functions';
import type { ContainerPair } from '#activities/run/container-task.ts';
import type { Problem } from '#domain/run/problems.ts';
import { isBackup, type RunRef } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import type { ProcessContainerInput, ProcessContainerResult } from './process-container.ts';

export interface ProcessGroupInput {
  run: RunRef;
  /** At most fifty: a wider tree instead of a longer history. */
  containers: ContainerPair[];
}

export interface ProcessGroupResult {
  stopped?: 'cancelled' | 'superseded';
  problems: Problem[];
}

/** Works on a group of containers and tables at once. */
export function* processGroup(context: OrchestrationContext): Generator<Task, ProcessGroupResult, unknown> {
  const { run, containers } = context.df.getInput() as ProcessGroupInput;
  const results = (yield context.df.Task.all(
    containers.map((pair) => {
      const input: ProcessContainerInput = { run, ...pair };
      const isTable = tableOfTask(pair.container) !== undefined && isBackup(run.mode);
      return context.df.callSubOrchestrator(isTable ? 'backUpTable' : 'processContainer', input);
    }),
  )) as ProcessContainerResult[];
  return combine(results.map(({ problem, ...rest }) => ({ ...rest, problems: problem ? [problem] : [] })));
}

/** Superseded weighs more than cancelled: then nothing at all may be written any more. */
export function combine(results: ProcessGroupResult[]): ProcessGroupResult {
  const reasons = new Set(results.map(({ stopped }) => stopped));
  const stopped = reasons.has('superseded') ? 'superseded' : reasons.has('cancelled') ? 'cancelled' : undefined;
  return { ...(stopped && { stopped }), problems: results.flatMap(({ problems }) => problems) };
}
