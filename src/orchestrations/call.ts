import type { OrchestrationContext, Task } from 'durable-functions';
import type { Activities } from '#activities/index.ts';
import { type Failures, mayTryAgain, waitAfter, withFailure } from './allowance.ts';
import { interruption } from './interruption.ts';

type Input<Name extends keyof Activities> = Parameters<Activities[Name]>[0];
/** The answer of an activity: its result, or a problem. */
export type Answer<Name extends keyof Activities> = Awaited<ReturnType<Activities[Name]>>;

/** An activity to call, with its input. */
export interface Step {
  name: keyof Activities;
  input: unknown;
}

export function stepOf<Name extends keyof Activities>(name: Name, input: Input<Name>): Step {
  return { name, input };
}

/** Schedules an activity with its own input type. `yield` returns its answer, which TypeScript cannot follow. */
export function call<Name extends keyof Activities>(
  context: OrchestrationContext,
  name: Name,
  input: Input<Name>,
): Task {
  return context.df.callActivity(name, input);
}

/** A timer that fires this many seconds after the current time of the orchestration. */
export function wait(context: OrchestrationContext, seconds: number): Task {
  return context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + seconds * 1000));
}

export type Settled = { value: unknown } | { error: unknown };

/** Schedules tasks at once and waits for each. One that throws costs the others neither their time nor their answer. */
export function* settle(context: OrchestrationContext, tasks: Task[]): Generator<Task, Settled[], unknown> {
  if (tasks.length === 0) return [];
  try {
    return ((yield context.df.Task.all(tasks)) as unknown[]).map((value) => ({ value }));
  } catch {
    // `Task.all` throws at the first failure. A task that is already scheduled can be waited for on its own.
    const settled: Settled[] = [];
    for (const task of tasks) {
      try {
        settled.push({ value: yield task });
      } catch (error) {
        settled.push({ error });
      }
    }
    return settled;
  }
}

/** Calls activities at once, and returns the answer of each. One that the platform ended answers with a problem. */
export function* callAll(
  context: OrchestrationContext,
  steps: readonly Step[],
  container?: string,
): Generator<Task, object[], unknown> {
  const tasks = steps.map(({ name, input }) => context.df.callActivity(name, input));
  const settled = yield* settle(context, tasks);
  return settled.map((each, index) => {
    if ('value' in each) return each.value as object;
    return { problem: interruption(steps[index]!.name, each.error, container) };
  });
}

/** Calls an activity. If the platform ends it, tries again as often as is allowed, and then answers with a problem. */
export function* insist<Name extends keyof Activities>(
  context: OrchestrationContext,
  name: Name,
  input: Input<Name>,
): Generator<Task, Answer<Name>, unknown> {
  let failures: Failures = {};
  for (;;) {
    try {
      return (yield call(context, name, input)) as Answer<Name>;
    } catch (error) {
      const problem = interruption(name, error);
      failures = withFailure(failures, problem);
      if (!mayTryAgain(problem, failures)) return { problem } as Answer<Name>;
      yield wait(context, waitAfter(problem, failures, name));
    }
  }
}
