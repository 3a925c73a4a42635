import type { OrchestrationContext, Task } from 'durable-functions';
import type { ContainerTask } from '#activities/run/container-task.ts';
import type { StopReason } from '#activities/run/run-guard.ts';
import type { Gone } from '#domain/run/comparison.ts';
import type { Problem } from '#domain/run/problems.ts';
import { isBackup, type RunRef } from '#domain/run/run.ts';
import { mayTryAgain, waitAfter, withFailure } from './allowance.ts';
import { type Answer, callAll, stepOf, wait } from './call.ts';
import type { ComparisonState } from './container-state.ts';

/** Whether the tasks of a run are compared with the restore point before. */
export function isCompared({ mode, dryRun }: RunRef): boolean {
  return isBackup(mode) && !dryRun;
}

/** Why a run holds nothing of a task that ended with a problem. */
export function goneBy({ code }: Problem): Gone {
  const isMissing = code === 'container-not-found' || code === 'table-not-found';
  return { code: isMissing ? 'deleted' : 'failed', cause: code };
}

/** Compares the next part of a container. A result ends it. */
export function* compareNext(
  context: OrchestrationContext,
  task: ContainerTask & { gone?: Gone },
  state: ComparisonState,
): Generator<Task, { stopped?: StopReason; problem?: Problem } | undefined, unknown> {
  const { part, page } = state;
  const step = stepOf('compareContainer', { ...task, part, page });
  const [answer] = (yield* callAll(context, [step], task.container)) as [Answer<'compareContainer'>];
  const { stopped, problem, next } = answer;
  if (stopped) return { stopped };
  if (problem) {
    state.failures = withFailure(state.failures, problem);
    if (!mayTryAgain(problem, state.failures)) return { problem };
    yield wait(context, waitAfter(problem, state.failures, task.container));
    return undefined;
  }
  if (next === undefined) return {};
  delete state.failures;
  state.part++;
  state.page = next;
  return undefined;
}
