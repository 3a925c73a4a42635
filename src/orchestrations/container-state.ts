import type { PendingFile, PlanChunk } from '#activities/run/chunk.ts';
import type { WalkPosition } from '#domain/blobs/merge-walk.ts';
import type { ManifestPosition } from '#domain/run/manifest.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { PlanActivity, TaskActivities, WorkActivity } from './activities-of.ts';
import type { Answer } from './call.ts';
import { isAllowed, PASSING } from './limits.ts';

/** What is left to do for a container. The history of the orchestration stores it. */
export interface ContainerState {
  slice: number;
  from?: WalkPosition;
  manifest?: ManifestPosition;
  listed: boolean;
  chunks: Piece[];
  pendingFiles: FileInProgress[];
  /** How often the next slice could not be planned. */
  sliceFailures?: number;
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
  failures?: number;
}

export interface Piece {
  chunk: PlanChunk;
  from: number;
  /** How often processing it has failed. */
  failures?: number;
}

export type FileInProgress = PendingFile & { failures?: number };

/** What is scheduled at once. */
export interface Round {
  plans: boolean;
  pieces: Piece[];
  pendingFiles: FileInProgress[];
  /** Pieces that wait for a later round. */
  waiting: Piece[];
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
  const mayBegin = pendingFiles.length < ENOUGH_PENDING;
  const plans = mayBegin && !listed && (planFirst || chunks.length < ENOUGH_TO_DO);
  const pieces = mayBegin && !(planFirst && !listed) ? chunks.slice(0, CHUNKS_AT_ONCE) : [];
  return { plans, pieces, pendingFiles, waiting: chunks.slice(pieces.length) };
}

export function sizeOf({ plans, pieces, pendingFiles }: Round): number {
  return (plans ? 1 : 0) + pieces.length + pendingFiles.length;
}

/** Takes over a planned slice. True if it failed and is to be planned again. */
export function takeSlice(state: ContainerState, slice: Answer<PlanActivity>, dryRun: boolean): boolean {
  const failures = (state.sliceFailures ?? 0) + 1;
  if (slice.problem && PASSING.has(slice.problem.code) && isAllowed(slice.problem.code, failures)) {
    state.sliceFailures = failures;
    return true;
  }
  state.sliceFailures = 0;
  state.slice++;
  if (slice.next) state.from = slice.next;
  if (slice.nextManifest) state.manifest = slice.nextManifest;
  // After a problem, planned items are still processed, and nothing more is listed.
  state.listed = slice.next === undefined && slice.nextManifest === undefined;
  if (slice.problem) state.problem ??= slice.problem;
  if (!dryRun) state.chunks.push(...(slice.chunks ?? []).map((chunk) => ({ chunk, from: 0 })));
  return false;
}

/** Takes over the result of a piece. True if it failed and is to be processed again. */
export function takePiece(state: ContainerState, piece: Piece, answer: Answer<WorkActivity>): boolean {
  const failures = (piece.failures ?? 0) + 1;
  if (answer.problem && isAllowed(answer.problem.code, failures)) {
    state.chunks.push({ ...piece, failures });
    return true;
  }
  if (answer.next !== undefined) state.chunks.push({ chunk: piece.chunk, from: answer.next });
  takeResult(state, answer);
  return false;
}

/** Takes over the result of a pending file. True if it failed and is to be confirmed again. */
export function takePendingFile(state: ContainerState, file: FileInProgress, answer: Answer<'confirmCopies'>): boolean {
  const failures = (file.failures ?? 0) + 1;
  if (answer.problem && isAllowed(answer.problem.code, failures)) {
    state.pendingFiles.push({ ...file, failures });
    return true;
  }
  takeResult(state, answer);
  return false;
}

function takeResult(state: ContainerState, answer: Pick<Answer<WorkActivity>, 'problem' | 'pendingFile'>): void {
  if (answer.problem) state.problem ??= answer.problem;
  if (answer.pendingFile) state.pendingFiles.push(answer.pendingFile);
}
