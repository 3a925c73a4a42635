import type { OrchestrationContext, Task } from 'durable-functions';
import type { ContainerPair } from '#activities/run/container-task.ts';
import type { StopReason } from '#activities/run/run-guard.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { orchestrationOf } from './activities-of.ts';
import type { ProcessContainerInput, ProcessContainerResult } from './process-container.ts';
import { stopReasonOf } from './stop-reason.ts';

export interface ProcessGroupInput {
  run: RunRef;
  /** At most fifty: a wider tree keeps the histories short. */
  containers: ContainerPair[];
}

export interface ProcessGroupResult {
  stopped?: StopReason;
  problems: Problem[];
}

/** Works on a group of containers and tables at once. */
export function* processGroup(context: OrchestrationContext): Generator<Task, ProcessGroupResult, unknown> {
  const { run, containers } = context.df.getInput() as ProcessGroupInput;
  const results = (yield context.df.Task.all(
    containers.map((pair) => {
      const input: ProcessContainerInput = { run, ...pair };
      return context.df.callSubOrchestrator(orchestrationOf(run, pair.container), input);
    }),
  )) as ProcessContainerResult[];
  return combine(results.map(({ problem, ...rest }) => ({ ...rest, problems: problem ? [problem] : [] })));
}

export function combine(results: ProcessGroupResult[]): ProcessGroupResult {
  const stopped = stopReasonOf(results);
  return { ...(stopped && { stopped }), problems: results.flatMap(({ problems }) => problems) };
}
