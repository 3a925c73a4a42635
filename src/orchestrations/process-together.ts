import type { OrchestrationContext, Task } from 'durable-functions';
import type { SharedTask, TaskProgress } from '#activities/modes/process-tasks.ts';
import type { Problem } from '#domain/run/problems.ts';
import { activitiesOf, orchestrationOf } from './activities-of.ts';
import { waitAfter, withFailure } from './allowance.ts';
import { type Answer, callAll, stepOf } from './call.ts';
import { isCompared, takeComparison } from './compare-container.ts';
import { type ContainerState, isIdle, newState, takePiece, takeSlice } from './container-state.ts';
import { isLasting, type ProcessContainerInput, type ProcessContainerResult } from './process-container.ts';
import { stopReasonOf } from './stop-reason.ts';

/** What a list has made of a task: its result, or the input of an orchestration of its own that continues with it. */
export type Begun = { result: ProcessContainerResult } | { input: ProcessContainerInput };

/** As many small tasks as take an activity a few seconds. */
const LONGEST_LIST = 25;
/** As many as leave the other runs of a worker room between them: its activities are served in their order. */
const LISTS_AT_ONCE = 4;

/**
 * Has activities process lists of tasks, and the rest of a list in shorter lists while its tasks are small. Returns for
 * each task what is left to do. After an interruption, each task of the list continues on its own: one of them may be
 * what ends the process.
 */
export function* processTogether(
  context: OrchestrationContext,
  inputs: readonly ProcessContainerInput[],
): Generator<Task, Begun[], unknown> {
  const begun = new Map<ProcessContainerInput, Begun>();
  const isShared = ({ run, container, gone }: ProcessContainerInput) =>
    gone !== undefined || orchestrationOf(run, container) === 'processContainer';
  let lists = listsOf(inputs.filter(isShared), LONGEST_LIST);
  while (lists.length > 0) {
    const steps = lists.map((list) => stepOf('processTasks', { run: list[0]!.run, tasks: list.map(sharedTask) }));
    const answers = (yield* callAll(context, steps)) as Answer<'processTasks'>[];
    const rest = lists.flatMap((list, index) => takeAnswer(begun, list, answers[index]!));
    // What takes long is to be processed at once by more activities.
    const half = Math.ceil(Math.max(...lists.map(({ length }) => length)) / 2);
    lists = listsOf(rest, Math.max(half, Math.ceil(rest.length / LISTS_AT_ONCE)));
  }
  return inputs.map((input) => begun.get(input) ?? { input });
}

/** Lists of about the same length. A single task gains nothing by it. */
function listsOf(inputs: ProcessContainerInput[], longest: number): ProcessContainerInput[][] {
  if (inputs.length < 2) return [];
  const length = Math.ceil(inputs.length / Math.ceil(inputs.length / longest));
  const lists: ProcessContainerInput[][] = [];
  for (let start = 0; start < inputs.length; start += length) lists.push(inputs.slice(start, start + length));
  return lists;
}

/** Takes over the answer about a list. Returns its rest if that is to be a list again. */
function takeAnswer(
  begun: Map<ProcessContainerInput, Begun>,
  list: ProcessContainerInput[],
  answer: Answer<'processTasks'>,
): ProcessContainerInput[] {
  if (answer.stopped) {
    for (const input of list) begun.set(input, { result: { stopped: answer.stopped } });
    return [];
  }
  if (answer.problem) {
    for (const input of list) begun.set(input, afterFailure(input, answer.problem));
    return [];
  }
  const results = answer.begun.map((progress, index) => takeProgress(list[index]!, progress));
  for (const [index, result] of results.entries()) begun.set(list[index]!, result);
  const rest = list.slice(answer.begun.length);
  const stopped = stopReasonOf(answer.begun.flatMap((progress) => Object.values(progress)));
  if (stopped) for (const input of rest) begun.set(input, { result: { stopped } });
  const finished = results.filter((each) => 'result' in each).length;
  // Those that need orchestrations of their own need not wait for each other.
  return stopped || finished * 2 < results.length || results.length === 0 ? [] : rest;
}

function sharedTask(input: ProcessContainerInput): SharedTask {
  const { run, container, destination, vaultLocation, scan, gone } = input;
  const task = { container, destination, ...(vaultLocation && { vaultLocation }) };
  if (gone) return { ...task, gone, compared: true };
  const { plan, work } = activitiesOf(run, container, scan);
  return { ...task, steps: { plan, work }, ...(isCompared(run) && { compared: true }) };
}

/** The task begins again, after a wait of its own. */
function afterFailure(input: ProcessContainerInput, problem: Problem): Begun {
  const state = newState();
  const failures = withFailure(undefined, problem);
  if (input.gone) state.comparison = { part: 0, page: 0, failures };
  else state.sliceFailures = failures;
  return { input: { ...input, state, after: waitAfter(problem, failures, input.container) } };
}

/** Takes over the answers about a task, as `processContainer` does one by one. */
export function takeProgress(input: ProcessContainerInput, { slice, piece, compared }: TaskProgress): Begun {
  const { run, container, scan, gone } = input;
  const stopped = stopReasonOf([slice, piece, compared].filter((answer) => answer !== undefined));
  if (stopped) return { result: { stopped } };
  const state = newState();
  let after = slice ? takeSlice(state, slice, { container, dryRun: run.dryRun }) : 0;
  if (!gone && activitiesOf(run, container, scan).planFirst && isLasting(state, slice)) {
    return { result: { problem: slice.problem } };
  }
  const [first] = state.chunks;
  if (piece && first) {
    state.chunks.shift();
    after = takePiece(state, first, piece, container);
  }
  if (gone || (isIdle(state) && !state.problem && isCompared(run))) {
    state.comparison = { part: 0, page: 0 };
    const { ended, seconds } = compared ? takeComparison(state.comparison, compared, container) : { seconds: after };
    return ended ? { result: ended } : continued(input, state, seconds);
  }
  if (!isIdle(state)) return continued(input, state, after);
  return { result: state.problem ? { problem: state.problem } : {} };
}

function continued(input: ProcessContainerInput, state: ContainerState, after: number): Begun {
  return { input: { ...input, state, ...(after > 0 && { after }) } };
}
