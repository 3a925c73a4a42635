import type { OrchestrationContext, Task } from 'durable-functions';
import type { Activities } from '#activities/index.ts';

type Input<Name extends keyof Activities> = Parameters<Activities[Name]>[0];
/** The answer of an activity: its result, or a problem. */
export type Answer<Name extends keyof Activities> = Awaited<ReturnType<Activities[Name]>>;

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
