import type { OrchestrationContext, Task } from 'durable-functions';
import type { PlanChunk } from '#activities/run/chunk.ts';
import type { ContainerTask } from '#activities/run/container-task.ts';
import type { FailureReason, OpenRange } from '#activities/tables/read-range.ts';
import type { Problem } from '#domain/run/problems.ts';
import { type Failures, isSuspect, mayTryAgain, waitAfter, withFailure } from './allowance.ts';
import { type Answer, callAll, stepOf, wait } from './call.ts';
import { ACTIVITIES_PER_GENERATION, PASSING } from './limits.ts';
import type { ProcessContainerInput, ProcessContainerResult } from './process-container.ts';
import { stopReasonOf } from './stop-reason.ts';

interface State {
  chunks: SegmentsToUpdate[];
  ranges: RangeToRead[];
  /** How many pieces of work have a number. A piece keeps its number in all of its executions. */
  pieces: number;
}

/** How a piece has failed so far. */
interface Tried {
  failures?: Failures;
  /** It is processed without other pieces. */
  alone?: boolean;
  /** Names the piece as failed, rather than processing it. */
  failPermanently?: FailureReason;
}

type RangeToRead = OpenRange & Tried;

interface SegmentsToUpdate extends Tried {
  chunk: PlanChunk;
  from: number;
  piece: number;
  requests?: Record<string, number>;
}

export interface BackUpTableInput extends ProcessContainerInput {
  /** Carried from one generation of the orchestration to the next. */
  table?: State;
}

type PieceAnswer = Answer<'readRange'> & Answer<'updateSegments'>;
type Ended = ProcessContainerResult | undefined;

/** How many pieces of one table are in progress at once. */
const AT_ONCE = 8;

/**
 * Backs up one table: updates the segments of the previous restore point, and reads other key ranges as a whole. The
 * rest of a piece is another piece. While there are few, rests are split, so that a large table is read by many
 * activities at once, however its entities are spread over its keys.
 */
export function* backUpTable(context: OrchestrationContext): Generator<Task, Ended, unknown> {
  const input = context.df.getInput() as BackUpTableInput;
  const task = taskOf(input);
  let activities = 0;
  let state = input.table;
  let failures: Failures = {};
  while (state === undefined) {
    const planning = stepOf('planTable', { ...task, ...(input.scan && { scan: true }) });
    const [plan] = (yield* callAll(context, [planning], task.container)) as [Answer<'planTable'>];
    activities++;
    if (plan.stopped) return { stopped: plan.stopped };
    if (plan.problem) {
      failures = withFailure(failures, plan.problem);
      if (!PASSING.has(plan.problem.code) || !mayTryAgain(plan.problem, failures)) return { problem: plan.problem };
      yield wait(context, waitAfter(plan.problem, failures, task.container));
    } else {
      state = stateFrom(plan);
    }
  }

  while (state.chunks.length + state.ranges.length > 0) {
    if (activities >= ACTIVITIES_PER_GENERATION) {
      const next: BackUpTableInput = { ...input, table: state };
      context.df.continueAsNew(next);
      return undefined;
    }
    const { reading, updating } = nextPieces(state);
    activities += reading.length + updating.length;
    const steps = [
      ...reading.map(({ failures: _, alone: __, ...range }) => stepOf('readRange', { ...task, ...range })),
      ...updating.map(({ failures: _, alone: __, ...segments }) =>
        stepOf('updateSegments', { ...task, ...segments, ...(input.scan && { scan: true }) }),
      ),
    ];
    const answers = (yield* callAll(context, steps, task.container)) as PieceAnswer[];
    const { ended, seconds, rests } = take(state, reading, updating, answers, task.container);
    if (ended) return ended;
    if (seconds > 0) yield wait(context, seconds);
    activities += yield* queueRests(context, task, state, rests);
  }
  return {};
}

function taskOf({ run, container, destination }: BackUpTableInput): ContainerTask {
  return { run, container, destination };
}

function stateFrom({ chunks = [], ranges = [], requests }: Answer<'planTable'>): State {
  const state: State = {
    chunks: chunks.map((chunk, piece) => ({ chunk, from: 0, piece })),
    ranges: [],
    pieces: chunks.length,
  };
  for (const range of ranges) state.ranges.push({ range, piece: state.pieces++, first: true });
  const firstPiece = state.chunks[0] ?? state.ranges[0];
  if (firstPiece && requests) firstPiece.requests = requests;
  return state;
}

/** Takes the next pieces from the queue. */
function nextPieces(state: State): { reading: RangeToRead[]; updating: SegmentsToUpdate[] } {
  const range = state.ranges.findIndex(({ alone }) => alone);
  if (range >= 0) return { reading: state.ranges.splice(range, 1), updating: [] };
  const chunk = state.chunks.findIndex(({ alone }) => alone);
  if (chunk >= 0) return { reading: [], updating: state.chunks.splice(chunk, 1) };
  const reading = state.ranges.splice(0, AT_ONCE);
  return { reading, updating: state.chunks.splice(0, AT_ONCE - reading.length) };
}

interface Taken {
  ended?: ProcessContainerResult;
  /** How long to wait before what failed is tried again. */
  seconds: number;
  /** The rests of key ranges that were read in part. */
  rests: OpenRange[];
}

/** Queues what the answers leave over, except the rests of key ranges. */
function take(
  state: State,
  reading: readonly RangeToRead[],
  updating: readonly SegmentsToUpdate[],
  answers: readonly PieceAnswer[],
  container: string,
): Taken {
  const taken: Taken = { seconds: 0, rests: [] };
  const ended = endedBy(answers);
  if (ended) return { ...taken, ended };
  for (const [index, answer] of answers.entries()) {
    const range = reading[index];
    const segments = updating[index - reading.length];
    if (answer.problem) {
      const again = nextTry(range ?? segments!, answer.problem);
      if (!again) return { ...taken, ended: { problem: answer.problem } };
      if (range) state.ranges.push({ ...range, ...again });
      else state.chunks.push({ ...segments!, ...again });
      taken.seconds = Math.max(taken.seconds, waitAfter(answer.problem, again.failures, container));
    } else if (range) {
      if (answer.rest) taken.rests.push({ range: answer.rest, piece: state.pieces++, ...oldOf(range) });
    } else if (segments) {
      queueRemaining(state, segments, answer);
    }
  }
  return taken;
}

/** How a piece that failed is tried again. After the last try, the run names it as failed. Everything else counts. */
function nextTry(
  { failures: before, failPermanently }: Tried,
  problem: Problem,
): (Tried & { failures: Failures }) | undefined {
  const failures = withFailure(before, problem);
  // To name it takes one small part. If even that fails, the table has a problem.
  if (failPermanently && problem.code !== 'interrupted') return undefined;
  if (mayTryAgain(problem, failures)) return { failures, alone: isSuspect(problem, failures) };
  if (failPermanently) return undefined;
  const { code, message } = problem;
  return { failures: {}, alone: false, failPermanently: { code, message } };
}

function queueRemaining(state: State, { chunk }: SegmentsToUpdate, { read, next }: Answer<'updateSegments'>): void {
  if (read) state.ranges.push({ ...read, piece: state.pieces++ });
  if (next !== undefined) state.chunks.push({ chunk, from: next, piece: state.pieces++ });
}

/** How the answers end the table, if they do. */
function endedBy(answers: readonly PieceAnswer[]): ProcessContainerResult | undefined {
  const stopped = stopReasonOf(answers);
  if (stopped) return { stopped };
  // A problem of the whole table, or one that waiting does not solve, costs the table its place in the restore point.
  const lasting = answers.find(({ problem }) => problem && !PASSING.has(problem.code))?.problem;
  return lasting && { problem: lasting };
}

/** Queues rests, split while fewer pieces wait than could be in progress. Returns how many activities that took. */
function* queueRests(
  context: OrchestrationContext,
  { run, container }: ContainerTask,
  state: State,
  rests: readonly OpenRange[],
): Generator<Task, number, unknown> {
  const waiting = state.chunks.length + state.ranges.length + rests.length;
  const pieces = rests.length === 0 || waiting > AT_ONCE / 2 ? 1 : Math.floor(AT_ONCE / waiting);
  if (pieces === 1) {
    state.ranges.push(...rests);
    return 0;
  }
  const steps = rests.map(({ range }) => stepOf('splitRange', { run, container, range, pieces }));
  const splits = (yield* callAll(context, steps, container)) as Answer<'splitRange'>[];
  for (const [index, { ranges, requests }] of splits.entries()) {
    const rest = rests[index]!;
    // If it could not be split, one activity reads all of it.
    const [first, ...others] = ranges ?? [rest.range];
    state.ranges.push({ ...rest, range: first!, ...(requests && { requests }) });
    for (const range of others) state.ranges.push({ range, piece: state.pieces++, ...oldOf(rest) });
  }
  return rests.length;
}

function oldOf({ old }: OpenRange): Pick<OpenRange, 'old'> {
  return old ? { old } : {};
}
