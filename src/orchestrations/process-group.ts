import type { OrchestrationContext, Task } from 'durable-functions';
import type { ContainerPair } from '#activities/run/container-task.ts';
import type { StopReason } from '#activities/run/run-guard.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { orchestrationOf } from './activities-of.ts';
import { settle } from './call.ts';
import { goneBy, isCompared } from './compare-container.ts';
import type { ProcessContainerInput, ProcessContainerResult } from './process-container.ts';
import { processTogether } from './process-together.ts';
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

/** Works on a group of containers and tables. */
export function* processGroup(context: OrchestrationContext): Generator<Task, ProcessGroupResult, unknown> {
  const { run, containers } = context.df.getInput() as ProcessGroupInput;
  const results = yield* processAll(
    context,
    containers.map((pair) => ({ run, ...pair })),
  );
  const done = combine(results.map((result, index) => taskResult(result, containers[index]!)));
  if (done.stopped || !isCompared(run)) return done;
  const lost = containers.flatMap((pair, index) => {
    const problem = results[index]!.problem;
    return problem && !pair.gone ? [{ run, ...pair, gone: goneBy(problem) }] : [];
  });
  if (lost.length === 0) return done;
  const compared = yield* processAll(context, lost);
  return combine([done, ...compared.map((result, index) => taskResult(result, lost[index]!))]);
}

/** Processes containers and tables: the small ones together, and all others at once. */
function* processAll(
  context: OrchestrationContext,
  inputs: readonly ProcessContainerInput[],
): Generator<Task, ProcessContainerResult[], unknown> {
  const begun = yield* processTogether(context, inputs);
  const others = begun.flatMap((each) => ('input' in each ? [each.input] : []));
  const results = yield* processEach(context, others);
  return begun.map((each) => ('result' in each ? each.result : results[others.indexOf(each.input)]!));
}

/** One whose orchestration fails costs the others nothing. */
function* processEach(
  context: OrchestrationContext,
  inputs: readonly ProcessContainerInput[],
): Generator<Task, ProcessContainerResult[], unknown> {
  const tasks = inputs.map((input) => {
    const orchestration = input.gone ? 'processContainer' : orchestrationOf(input.run, input.container);
    return context.df.callSubOrchestrator(orchestration, input);
  });
  const settled = yield* settle(context, tasks);
  return settled.map((each, index) => {
    if ('value' in each) return each.value as ProcessContainerResult;
    return { problem: problemOf('orchestration-failed', 0, inputs[index]!.container) };
  });
}

/** A run that does not know what it no longer holds leaves no restore point: then the problem is one of the run. */
function taskResult(
  { problem, ...rest }: ProcessContainerResult,
  { container, gone }: ContainerPair,
): ProcessGroupResult {
  if (!problem) return { ...rest, problems: [] };
  const { code, message } = problem;
  return { ...rest, problems: [gone ? problemOf(code, 0, undefined, `${container}: ${message}`) : problem] };
}

export function combine(results: ProcessGroupResult[]): ProcessGroupResult {
  const stopped = stopReasonOf(results);
  return { ...(stopped && { stopped }), problems: results.flatMap(({ problems }) => problems) };
}
