import type { OrchestrationContext, Task } from 'durable-functions';
import type { PlanChunk } from '#activities/run/chunk.ts';
import type { ContainerTask } from '#activities/run/container-task.ts';
import type { FailureReason, OpenRange } from '#activities/tables/read-range.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { type Answer, call, wait } from './call.ts';
import { ACTIVITIES_PER_GENERATION, FAILURES_ALLOWED, PASSING, WAIT_AFTER_FAILURE } from './limits.ts';
import type { ProcessContainerInput, ProcessContainerResult } from './process-container.ts';
import { stopReasonOf } from './stop-reason.ts';

interface State {
  chunks: SegmentsToUpdate[];
  ranges: RangeToRead[];
  /** How many pieces of work have a number. A piece keeps its number in all of its executions. */
  pieces: number;
}

interface RangeToRead extends OpenRange {
  failures?: number;
}

interface SegmentsToUpdate {
  chunk: PlanChunk;
  from: number;
  piece: number;
  requests?: Record<string, number>;
  failPermanently?: FailureReason;
  failures?: number;
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
  try {
    return yield* backUp(context, input);
  } catch (error) {
    // Activities return their problems. An activity that throws was ended by a time limit or a crash.
    const message = `An activity was ended: ${(error as Error).message}`;
    return { problem: problemOf('internal', 0, input.container, message) };
  }
}

function* backUp(context: OrchestrationContext, input: BackUpTableInput): Generator<Task, Ended, unknown> {
  const task = taskOf(input);
  let activities = 0;
  let state = input.table;
  for (let failures = 0; state === undefined; ) {
    const planning = call(context, 'planTable', { ...task, ...(input.scan && { scan: true }) });
    const plan = (yield planning) as Answer<'planTable'>;
    activities++;
    if (plan.stopped) return { stopped: plan.stopped };
    if (plan.problem) {
      failures++;
      if (!PASSING.has(plan.problem.code) || failures > FAILURES_ALLOWED) return { problem: plan.problem };
      yield wait(context, WAIT_AFTER_FAILURE);
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
    const reading = state.ranges.splice(0, AT_ONCE);
    const updating = state.chunks.splice(0, AT_ONCE - reading.length);
    activities += reading.length + updating.length;
    const calls = [
      ...reading.map(({ failures: _, ...range }) => call(context, 'readRange', { ...task, ...range })),
      ...updating.map(({ failures: _, ...segments }) =>
        call(context, 'updateSegments', { ...task, ...segments, ...(input.scan && { scan: true }) }),
      ),
    ];
    const answers = (yield context.df.Task.all(calls)) as PieceAnswer[];
    const { ended, isAnyFailed, rests } = settle(state, reading, updating, answers);
    if (ended) return ended;
    if (isAnyFailed) yield wait(context, WAIT_AFTER_FAILURE);
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

interface Settled {
  ended?: ProcessContainerResult;
  isAnyFailed: boolean;
  /** The rests of key ranges that were read in part. */
  rests: OpenRange[];
}

/** Queues what the answers leave over, except the rests of key ranges. */
function settle(
  state: State,
  reading: readonly RangeToRead[],
  updating: readonly SegmentsToUpdate[],
  answers: readonly PieceAnswer[],
): Settled {
  const settled: Settled = { isAnyFailed: false, rests: [] };
  const ended = endedBy(answers);
  if (ended) return { ...settled, ended };
  for (const [index, answer] of answers.entries()) {
    const range = reading[index];
    const segments = updating[index - reading.length];
    if (answer.problem) {
      const failures = ((range ?? segments)?.failures ?? 0) + 1;
      if (failures > FAILURES_ALLOWED + 1) return { ...settled, ended: { problem: answer.problem } };
      queueAgain(state, range, segments, failures, answer.problem);
      settled.isAnyFailed = true;
    } else if (range) {
      if (answer.rest) settled.rests.push({ range: answer.rest, piece: state.pieces++, ...oldOf(range) });
    } else if (segments) {
      queueRemaining(state, segments, answer);
    }
  }
  return settled;
}

/** Queues a piece that failed. After the last attempt, the run names it as failed, and everything else counts. */
function queueAgain(
  state: State,
  range: RangeToRead | undefined,
  segments: SegmentsToUpdate | undefined,
  failures: number,
  { code, message }: Problem,
): void {
  const again = { failures, ...(failures > FAILURES_ALLOWED && { failPermanently: { code, message } }) };
  if (range) state.ranges.push({ ...range, ...again });
  else if (segments) state.chunks.push({ ...segments, ...again });
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
  const calls = rests.map(({ range }) => call(context, 'splitRange', { run, container, range, pieces }));
  const splits = (yield context.df.Task.all(calls)) as Answer<'splitRange'>[];
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
