import type { OrchestrationContext, Task } from 'durable-functions';
import type { ContainerTask } from '#activities/run/container-task.ts';
import type { StopReason } from '#activities/run/run-guard.ts';
import type { Gone } from '#domain/run/comparison.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { isBackup, type RunRef } from '#domain/run/run.ts';
import { type Answer, call, wait } from './call.ts';
import type { ComparisonState } from './container-state.ts';
import { FAILURES_ALLOWED, WAIT_AFTER_FAILURE } from './limits.ts';

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
  let answer: Answer<'compareContainer'>;
  try {
    const { part, page } = state;
    answer = (yield call(context, 'compareContainer', { ...task, part, page })) as Answer<'compareContainer'>;
  } catch (error) {
    return { problem: problemOf('internal', 0, task.container, `An activity was ended: ${(error as Error).message}`) };
  }
  const { stopped, problem, next } = answer;
  if (stopped) return { stopped };
  if (problem) {
    state.failures = (state.failures ?? 0) + 1;
    if (state.failures > FAILURES_ALLOWED) return { problem };
    yield wait(context, WAIT_AFTER_FAILURE);
    return undefined;
  }
  if (next === undefined) return {};
  state.failures = 0;
  state.part++;
  state.page = next;
  return undefined;
}
