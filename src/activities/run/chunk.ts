import { chunkKey } from '#domain/run/control-paths.ts';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { ContainerTask } from './container-task.ts';
import type { StopReason } from './run-guard.ts';

/** Names one stored chunk of planned items. */
export interface PlanChunk {
  slice: number;
  chunk: number;
  key: string;
  items: number;
}

export interface ChunkInput<Run extends RunRef = RunRef> extends ContainerTask<Run> {
  chunk: PlanChunk;
  /** Index of the first item to process. */
  from: number;
}

/** Key of the piece of a chunk that begins at the given item. */
export function pieceKey({ chunk: { slice, chunk }, from }: Pick<ChunkInput, 'chunk' | 'from'>): string {
  return chunkKey(slice, chunk, from);
}

/**
 * Lists the copies of a piece that were pending when its part was written, with the outcomes of those that ended since.
 */
export interface PendingFile {
  /** Key of the piece. */
  key: string;
  /** Distinguishes executions of the piece: the one that wrote the part counts. */
  attempt: string;
  round: number;
  pending: number;
  /** All of them are archived content that is being rehydrated. */
  rehydrating?: true;
  /** Requests of later rounds that changed nothing, and that no part counts yet. */
  requests?: RequestCounts;
}

export interface ChunkResult {
  /** Index of the first item not processed; absent when the chunk is finished. */
  next?: number;
  pendingFile?: PendingFile;
  stopped?: StopReason;
}
