import type { OrchestrationContext, Task } from 'durable-functions';
import type { PlanActivity, WorkActivity } from '#activities/modes/process-tasks.ts';
import type { ContainerTask } from '#activities/run/container-task.ts';
import type { StopReason } from '#activities/run/run-guard.ts';
import type { Gone } from '#domain/run/comparison.ts';
import type { Problem } from '#domain/run/problems.ts';
import { activitiesOf, type TaskActivities } from './activities-of.ts';
import { type Answer, callAll, insist, type Step, stepOf, wait } from './call.ts';
import { compareNext, isCompared } from './compare-container.ts';
import {
  type ContainerState,
  newState,
  nextRound,
  type Round,
  sizeOf,
  takePendingFile,
  takePiece,
  takeSlice,
} from './container-state.ts';
import { ACTIVITIES_PER_GENERATION, LONGEST_SILENCE } from './limits.ts';
import { stopReasonOf } from './stop-reason.ts';

export interface ProcessContainerInput extends ContainerTask {
  /** In a retry: scan the container, rather than try the failures of the earlier run again. */
  scan?: boolean;
  /** Only compares it with the restore point before: why the run holds nothing of it. */
  gone?: Gone;
  /** What is left to do, from what has begun it: a list of tasks, or an earlier generation of the orchestration. */
  state?: ContainerState;
  /** Seconds to wait first, because something failed. */
  after?: number;
}

export interface ProcessContainerResult {
  stopped?: StopReason;
  problem?: Problem;
}

/** The answers of a round, in the order in which it was scheduled. */
interface RoundAnswers {
  slice: Answer<PlanActivity> | undefined;
  pieces: Answer<WorkActivity>[];
  pendingFiles: Answer<'confirmCopies'>[];
}

/** Seconds between two checks of pending copies. Rehydrating archived content takes hours. */
const LONGEST_DELAY = 30;

/**
 * Works on one container, or on a table of a restore, verification or prune: plans slice by slice, processes the chunks
 * of one slice while the next is planned, and confirms pending copies, with growing delay when there is nothing else to
 * do. A backup is then compared with the restore point before.
 */
export function* processContainer(
  context: OrchestrationContext,
): Generator<Task, ProcessContainerResult | undefined, unknown> {
  const { after, ...input } = context.df.getInput() as ProcessContainerInput;
  const { run, container, destination, vaultLocation, gone } = input;
  const task: ContainerTask = { run, container, destination, ...(vaultLocation && { vaultLocation }) };
  const state = input.state ?? newState();
  if (gone) state.comparison ??= { part: 0, page: 0 };
  const activities = activitiesOf(run, container, input.scan);
  if (after) yield wait(context, after);

  let scheduled = 0;
  while (!state.comparison) {
    const round = nextRound(state, activities);
    if (scheduled > 0 && scheduled + sizeOf(round) > ACTIVITIES_PER_GENERATION) break;
    scheduled += sizeOf(round);
    const result = yield* processRound(context, task, state, activities, round);
    if (!result) continue;
    // After a problem, the run holds nothing of the container: its group compares that.
    if (result.stopped || result.problem || !isCompared(run)) return result;
    state.comparison = { part: 0, page: 0 };
  }
  for (; state.comparison && scheduled < ACTIVITIES_PER_GENERATION; scheduled++) {
    const result = yield* compareNext(context, { ...task, ...(gone && { gone }) }, state.comparison);
    if (result) return result;
  }
  context.df.continueAsNew({ ...input, state });
  return undefined;
}

/** Schedules the activities of a round, and takes over their answers. A result ends the work on the container. */
function* processRound(
  context: OrchestrationContext,
  task: ContainerTask,
  state: ContainerState,
  activities: TaskActivities,
  round: Round,
): Generator<Task, ProcessContainerResult | undefined, unknown> {
  if (sizeOf(round) === 0) return state.problem ? { problem: state.problem } : {};
  if (!round.plans && round.pieces.length === 0) {
    const longest = round.pendingFiles.every(({ rehydrating }) => rehydrating) ? LONGEST_SILENCE : LONGEST_DELAY;
    const delay = Math.min(state.delay, longest);
    yield wait(context, delay);
    state.delay = Math.min(delay * 2, longest);
  }
  const steps = stepsOf(task, state, activities, round);
  const answers = answersOf(round, yield* callAll(context, steps, task.container));
  const stopped = stopReasonOf(allOf(answers));
  if (stopped === 'cancelled') yield* abortPending(context, task, round, answers);
  if (stopped) return { stopped };
  const seconds = takeAnswers(state, round, answers, task);
  if (activities.planFirst && isLasting(state, answers.slice)) return { problem: answers.slice.problem };
  if (round.pieces.length > 0) state.delay = 1;
  if (seconds > 0) yield wait(context, seconds);
  return undefined;
}

function stepsOf(
  task: ContainerTask,
  { slice, from, manifest }: ContainerState,
  { plan, work }: TaskActivities,
  { plans, pieces, pendingFiles }: Round,
): Step[] {
  const position = { slice, ...(from && { from }), ...(manifest && { manifest }) };
  return [
    ...(plans ? [stepOf(plan, { ...task, ...position })] : []),
    ...pieces.map(({ chunk, from: first }) => stepOf(work, { ...task, chunk, from: first })),
    ...pendingFiles.map(({ failures: _, alone: __, ...pendingFile }) =>
      stepOf('confirmCopies', { ...task, pendingFile }),
    ),
  ];
}

function answersOf({ plans, pieces }: Round, answers: object[]): RoundAnswers {
  const rest = answers.slice(plans ? 1 : 0);
  return {
    slice: plans ? (answers[0] as Answer<PlanActivity>) : undefined,
    pieces: rest.slice(0, pieces.length) as Answer<WorkActivity>[],
    pendingFiles: rest.slice(pieces.length) as Answer<'confirmCopies'>[],
  };
}

function allOf({ slice, pieces, pendingFiles }: RoundAnswers) {
  return [...(slice ? [slice] : []), ...pieces, ...pendingFiles];
}

/** Whether a slice has a problem, and is not planned again. */
export function isLasting(
  state: ContainerState,
  slice: Answer<PlanActivity> | undefined,
): slice is Answer<PlanActivity> & { problem: Problem } {
  return slice?.problem !== undefined && !state.sliceFailures;
}

/** Takes over the answers of a round. Returns how many seconds to wait if something failed and is to be tried again. */
function takeAnswers(
  state: ContainerState,
  round: Round,
  answers: RoundAnswers,
  { run: { dryRun }, container }: ContainerTask,
): number {
  state.chunks = round.waiting.chunks;
  state.pendingFiles = round.waiting.pendingFiles;
  return Math.max(
    answers.slice ? takeSlice(state, answers.slice, { container, dryRun }) : 0,
    ...answers.pieces.map((answer, index) => takePiece(state, round.pieces[index]!, answer, container)),
    ...answers.pendingFiles.map((answer, index) =>
      takePendingFile(state, round.pendingFiles[index]!, answer, container),
    ),
  );
}

/** A copy that cannot be aborted continues, and the next run finds it. The run ends as cancelled all the same. */
function* abortPending(
  context: OrchestrationContext,
  task: ContainerTask,
  { pendingFiles, waiting }: Round,
  { pieces, pendingFiles: confirmed }: RoundAnswers,
): Generator<Task, void, unknown> {
  // Those of the answers, and those of the round: an activity that stopped has not confirmed its own.
  const answered = [...pieces, ...confirmed].flatMap(({ pendingFile }) => pendingFile ?? []);
  const all = [...pendingFiles, ...waiting.pendingFiles, ...answered];
  yield* insist(context, 'abortCopies', { ...task, pendingFiles: all });
}
