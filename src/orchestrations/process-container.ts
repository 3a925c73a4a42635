import type { OrchestrationContext, Task } from 'durable-functions';
import type { AbortCopiesInput } from '#activities/modes/abort-copies.ts';
import type { PendingFile, PlanChunk } from '#activities/run/chunk.ts';
import type { ContainerTask } from '#activities/run/container-task.ts';
import type { WalkPosition } from '#domain/blobs/merge-walk.ts';
import type { ManifestPosition } from '#domain/run/manifest.ts';
import { type Problem, type ProblemCode, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { type Answer, call, wait } from './call.ts';

export interface ProcessContainerInput extends ContainerTask {
  /** In a retry: list the container instead of taking the earlier run's failures. */
  scan?: boolean;
  /** Carried from one generation of the orchestration to the next. */
  state?: State;
}

export interface ProcessContainerResult {
  stopped?: 'cancelled' | 'superseded';
  problem?: Problem;
}

interface State {
  slice: number;
  from?: WalkPosition;
  manifest?: ManifestPosition;
  listed: boolean;
  chunks: Piece[];
  pendingFiles: (PendingFile & { failures?: number })[];
  /** How often the next slice could not be scanned. */
  sliceFailures?: number;
  /** Seconds until pending copies are looked at again. */
  delay: number;
  problem?: Problem;
}

interface Piece {
  chunk: PlanChunk;
  from: number;
  /** How often working on it has come to nothing. */
  failures?: number;
}

/**
 * A piece whose activity could not do its work (its plan not read, its outcomes not written) is tried again after a
 * wait: giving it up costs the container its place in the restore point.
 */
const FAILURES_ALLOWED = 2;
const WAIT_AFTER_FAILURE = 20;
/** Problems that may be over after a wait; the others stay until somebody mends them. */
export const PASSING = new Set<ProblemCode>(['throttled', 'unreachable', 'server-error']);

/** No further slice is scanned while so many chunks wait to be copied. */
const ENOUGH_TO_DO = 16;
/** Chunks copied at once; of many (a page of huge blobs makes one of each) the others wait their turn. */
const COPIES_AT_ONCE = 24;
/** Nothing new is begun while so many pieces of work have pending copies: each is looked at in every round. */
const ENOUGH_PENDING = 64;
/** History is replayed at every step: begin a new generation before it gets long. */
const ACTIVITIES_PER_GENERATION = 100;
const LONGEST_DELAY = 30;

/** The activity that plans what is to be done with the next stretch of a container. */
function scanOf({ mode, retryOf, prune }: RunRef, scan: boolean | undefined, isTable: boolean) {
  if (isTable && mode === 'restore') return 'planTableRestore';
  if (isTable && mode === 'verify') return 'verifyTable';
  if (isTable && mode === 'prune' && !prune?.plan) return 'planTablePrune';
  if (retryOf !== undefined && !scan) return 'planRetry';
  if (mode === 'restore') return 'planRestore';
  if (mode === 'verify') return 'verifySlice';
  if (mode === 'reconcile') return 'findUnarchived';
  if (mode === 'reprocess') return 'planReprocess';
  if (mode === 'prune') return prune?.plan ? 'takePlan' : 'planPrune';
  return 'scanSlice';
}

/** The activity that works off a chunk of it. */
function workOf({ mode }: RunRef, isTable: boolean) {
  if (isTable && mode === 'restore') return 'writeEntities';
  return mode === 'verify' ? 'readChunk' : mode === 'prune' ? 'deleteChunk' : 'copyChunk';
}

/**
 * Works on one container, mostly to back it up: scans slice by slice, copies the chunks of one slice while the next is scanned, and looks
 * at pending copies with growing delay when there is nothing else to do.
 */
export function* processContainer(
  context: OrchestrationContext,
): Generator<Task, ProcessContainerResult | undefined, unknown> {
  const input = context.df.getInput() as ProcessContainerInput;
  const { run, container, destination, vaultLocation: mirror } = input;
  const about: ContainerTask = { run, container, destination, ...(mirror && { vaultLocation: mirror }) };
  const state: State = input.state ?? { slice: 0, listed: false, chunks: [], pendingFiles: [], delay: 1 };
  const isTable = tableOfTask(container) !== undefined;
  const scan = scanOf(run, input.scan, isTable);
  const processItems = workOf(run, isTable);
  // Nothing is written to a table before every file that it takes has been found to be sound.
  const planFirst = isTable && run.mode === 'restore';

  for (let activities = 0; ; ) {
    const { pendingFiles: work } = state;
    const mayBegin = work.length < ENOUGH_PENDING;
    const scanning = mayBegin && !state.listed && (planFirst || state.chunks.length < ENOUGH_TO_DO);
    const copies = mayBegin && !(planFirst && !state.listed) ? state.chunks.slice(0, COPIES_AT_ONCE) : [];
    const waiting = state.chunks.slice(copies.length);
    const next = (scanning ? 1 : 0) + copies.length + work.length;
    if (activities > 0 && activities + next > ACTIVITIES_PER_GENERATION) break;
    activities += next;
    if (!scanning && copies.length === 0) {
      if (work.length === 0) return state.problem ? { problem: state.problem } : {};
      yield wait(context, state.delay);
      state.delay = Math.min(state.delay * 2, LONGEST_DELAY);
    }
    const tasks = [
      ...(scanning
        ? [
            call(context, scan, {
              ...about,
              slice: state.slice,
              ...(state.from && { from: state.from }),
              ...(state.manifest && { manifest: state.manifest }),
            }),
          ]
        : []),
      ...copies.map(({ chunk, from }) => call(context, processItems, { ...about, chunk, from })),
      ...work.map((file) => call(context, 'confirmCopies', { ...about, pendingFile: file })),
    ];
    let answers: object[];
    try {
      answers = (yield context.df.Task.all(tasks)) as object[];
    } catch (error) {
      // Activities answer with their problems; one that throws was ended from outside, by a time limit or a crash. It
      // costs this container its place in the restore point, not every other one.
      return { problem: problemOf('internal', 0, container, `An activity was ended: ${(error as Error).message}`) };
    }

    const reasons = answers.map((answer) => (answer as ProcessContainerResult).stopped);
    const stopped = reasons.find((reason) => reason === 'superseded') ?? reasons.find((reason) => reason);
    if (stopped) {
      if (stopped === 'cancelled') yield* abortAll(context, { ...about, pendingFiles: pendingAfter(answers, work) });
      return { stopped };
    }
    state.chunks = waiting;
    let failed = false;
    if (scanning) {
      const slice = answers.shift() as Answer<'scanSlice'>;
      const failures = (state.sliceFailures ?? 0) + 1;
      if (slice.problem && PASSING.has(slice.problem.code) && failures <= FAILURES_ALLOWED) {
        state.sliceFailures = failures;
        failed = true;
      } else {
        state.sliceFailures = 0;
        state.slice++;
        if (slice.next) state.from = slice.next;
        if (slice.nextManifest) state.manifest = slice.nextManifest;
        // After a problem, what has been planned is still copied, and nothing more is listed.
        state.listed = slice.next === undefined && slice.nextManifest === undefined;
        if (slice.problem) state.problem ??= slice.problem;
        if (slice.problem && planFirst) return { problem: slice.problem };
        if (!run.dryRun) state.chunks.push(...(slice.chunks ?? []).map((chunk) => ({ chunk, from: 0 })));
      }
    }
    state.pendingFiles = [];
    for (const [index, answer] of (answers as Answer<'copyChunk'>[]).entries()) {
      const piece = copies[index];
      const file = work[index - copies.length];
      const failures = ((piece ?? file)?.failures ?? 0) + 1;
      if (answer.problem && failures <= FAILURES_ALLOWED) {
        failed = true;
        if (piece) state.chunks.push({ ...piece, failures });
        else if (file) state.pendingFiles.push({ ...file, failures });
        continue;
      }
      if (answer.problem) state.problem ??= answer.problem;
      if (answer.next !== undefined && piece) state.chunks.push({ chunk: piece.chunk, from: answer.next });
      if (answer.pendingFile) state.pendingFiles.push(answer.pendingFile);
    }
    if (copies.length > 0) state.delay = 1;
    if (failed) yield wait(context, WAIT_AFTER_FAILURE);
  }
  context.df.continueAsNew({ ...input, state });
  return undefined;
}

/** What could not be aborted goes on by itself, and the next run finds it: the run ends as cancelled all the same. */
function* abortAll(context: OrchestrationContext, input: AbortCopiesInput): Generator<Task, void, unknown> {
  try {
    yield call(context, 'abortCopies', input);
  } catch {}
}

/** The work files whose copies may be pending now: the answers' own, and those that were not worked on. */
function pendingAfter(answers: object[], before: PendingFile[]): PendingFile[] {
  return [...before, ...(answers as Answer<'copyChunk'>[]).flatMap(({ pendingFile: work }) => work ?? [])];
}
