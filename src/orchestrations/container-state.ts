import type { PlanActivity, WorkActivity } from '#activities/modes/process-tasks.ts';
import type { PendingFile, PlanChunk } from '#activities/run/chunk.ts';
import type { WalkPosition } from '#domain/blobs/merge-walk.ts';
import type { ManifestPosition } from '#domain/run/manifest.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { TaskActivities } from './activities-of.ts';
import { type Failures, isSuspect, mayTryAgain, waitAfter, withFailure } from './allowance.ts';
import type { Answer } from './call.ts';
import { PASSING } from './limits.ts';

/** What is left to do for a container. Histories store it. */
export interface ContainerState {
  slice: number;
  from?: WalkPosition;
  manifest?: ManifestPosition;
  listed: boolean;
  chunks: Piece[];
  pendingFiles: FileInProgress[];
  /** How often the next slice could not be planned. */
  sliceFailures?: Failures;
  /** The next slice is planned without other steps. */
  planAlone?: boolean;
  /** Seconds until pending copies are checked again. */
  delay: number;
  problem?: Problem;
  /** Present once nothing is left to copy. */
  comparison?: ComparisonState;
}

/** How far a container is compared with the restore point before. */
export interface ComparisonState {
  part: number;
  page: number;
  failures?: Failures;
}

export interface Piece {
  chunk: PlanChunk;
  from: number;
  /** How often processing it has failed. */
  failures?: Failures;
  /** It is processed without other steps. */
  alone?: boolean;
}

export type FileInProgress = PendingFile & Pick<Piece, 'failures' | 'alone'>;

/** What is scheduled at once. */
export interface Round {
  plans: boolean;
  pieces: Piece[];
  pendingFiles: FileInProgress[];
  /** What waits for a later round. */
  waiting: Pick<ContainerState, 'chunks' | 'pendingFiles'>;
}

/** No further slice is planned while this many chunks wait. */
const ENOUGH_TO_DO = 16;
/** How many chunks are processed at once. A page of huge blobs makes a chunk of each: the others wait. */
const CHUNKS_AT_ONCE = 24;
/** No new piece begins while this many pieces have pending copies: every round checks all of them. */
const ENOUGH_PENDING = 64;

export function newState(): ContainerState {
  return { slice: 0, listed: false, chunks: [], pendingFiles: [], delay: 1 };
}

export function nextRound(state: ContainerState, { planFirst = false }: TaskActivities): Round {
  const { chunks, pendingFiles, listed } = state;
  const piece = chunks.find(({ alone }) => alone);
  if (piece) return { ...NOTHING, pieces: [piece], waiting: { chunks: without(chunks, piece), pendingFiles } };
  const file = pendingFiles.find(({ alone }) => alone);
  if (file) {
    return { ...NOTHING, pendingFiles: [file], waiting: { chunks, pendingFiles: without(pendingFiles, file) } };
  }
  if (state.planAlone) return { ...NOTHING, plans: true, waiting: { chunks, pendingFiles } };
  const mayBegin = pendingFiles.length < ENOUGH_PENDING;
  const plans = mayBegin && !listed && (planFirst || chunks.length < ENOUGH_TO_DO);
  const pieces = mayBegin && !(planFirst && !listed) ? chunks.slice(0, CHUNKS_AT_ONCE) : [];
  return { plans, pieces, pendingFiles, waiting: { chunks: chunks.slice(pieces.length), pendingFiles: [] } };
}

/** Whether nothing is left to plan, to process or to confirm. */
export function isIdle({ listed, chunks, pendingFiles }: ContainerState): boolean {
  return listed && chunks.length + pendingFiles.length === 0;
}

const NOTHING = { plans: false, pieces: [], pendingFiles: [] };

function without<Each>(all: readonly Each[], one: Each): Each[] {
  return all.filter((each) => each !== one);
}

export function sizeOf({ plans, pieces, pendingFiles }: Round): number {
  return (plans ? 1 : 0) + pieces.length + pendingFiles.length;
}

/** Takes over a planned slice. Returns how many seconds to wait before it is planned again, or 0 if it is not. */
export function takeSlice(
  state: ContainerState,
  slice: Answer<PlanActivity>,
  { container, dryRun }: { container: string; dryRun: boolean },
): number {
  const { problem } = slice;
  const failures = problem && withFailure(state.sliceFailures, problem);
  if (failures && PASSING.has(problem.code) && mayTryAgain(problem, failures)) {
    state.sliceFailures = failures;
    state.planAlone = isSuspect(problem, failures);
    return waitAfter(problem, failures, container);
  }
  delete state.sliceFailures;
  state.planAlone = false;
  state.slice++;
  if (slice.next) state.from = slice.next;
  if (slice.nextManifest) state.manifest = slice.nextManifest;
  // After a problem, planned items are still processed, and nothing more is listed.
  state.listed = slice.next === undefined && slice.nextManifest === undefined;
  if (problem) state.problem ??= problem;
  if (!dryRun) state.chunks.push(...(slice.chunks ?? []).map((chunk) => ({ chunk, from: 0 })));
  return 0;
}

/** Takes over the result of a piece. Returns how many seconds to wait before it is processed again, or 0. */
export function takePiece(
  state: ContainerState,
  piece: Piece,
  answer: Answer<WorkActivity>,
  container: string,
): number {
  const { problem } = answer;
  const failures = problem && withFailure(piece.failures, problem);
  if (failures && mayTryAgain(problem, failures)) {
    state.chunks.push({ ...piece, failures, alone: isSuspect(problem, failures) });
    return waitAfter(problem, failures, container);
  }
  if (answer.next !== undefined) state.chunks.push({ chunk: piece.chunk, from: answer.next });
  takeResult(state, answer);
  return 0;
}

/** Takes over the result of a pending file. Returns how many seconds to wait before it is confirmed again, or 0. */
export function takePendingFile(
  state: ContainerState,
  file: FileInProgress,
  answer: Answer<'confirmCopies'>,
  container: string,
): number {
  const { problem } = answer;
  const failures = problem && withFailure(file.failures, problem);
  if (failures && mayTryAgain(problem, failures)) {
    state.pendingFiles.push({ ...file, failures, alone: isSuspect(problem, failures) });
    return waitAfter(problem, failures, container);
  }
  takeResult(state, answer);
  return 0;
}

function takeResult(state: ContainerState, answer: Pick<Answer<WorkActivity>, 'problem' | 'pendingFile'>): void {
  if (answer.problem) state.problem ??= answer.problem;
  if (answer.pendingFile) state.pendingFiles.push(answer.pendingFile);
}
