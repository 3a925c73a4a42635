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
): Generator<Task, ComparisonEnd | undefined, unknown> {
  const { part, page } = state;
  const step = stepOf('compareContainer', { ...task, part, page });
  const [answer] = (yield* callAll(context, [step], task.container)) as [Answer<'compareContainer'>];
  const { ended, seconds } = takeComparison(state, answer, task.container);
  if (seconds > 0) yield wait(context, seconds);
  return ended;
}

interface ComparisonEnd {
  stopped?: StopReason;
  problem?: Problem;
}

/** Takes over the answer about a part: whether it ends the comparison, and how many seconds to wait otherwise. */
export function takeComparison(
  state: ComparisonState,
  { stopped, problem, next }: Answer<'compareContainer'>,
  container: string,
): { ended?: ComparisonEnd; seconds: number } {
  if (stopped) return { ended: { stopped }, seconds: 0 };
  if (problem) {
    state.failures = withFailure(state.failures, problem);
    if (!mayTryAgain(problem, state.failures)) return { ended: { problem }, seconds: 0 };
    return { seconds: waitAfter(problem, state.failures, container) };
  }
  if (next === undefined) return { ended: {}, seconds: 0 };
  delete state.failures;
  state.part++;
  state.page = next;
  return { seconds: 0 };
}
