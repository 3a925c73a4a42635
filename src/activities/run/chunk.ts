import type { Standing } from '#domain/run/lock.ts';
import type { RequestCounts } from '#storage/requests.ts';
import type { ContainerTask } from './container-task.ts';

export interface ChunkInput extends ContainerTask {
  chunk: PlanChunk;
  /** Index of the first item to work on. */
  from: number;
}

/** Copies of a piece that were pending when its part was written, with the outcomes of those that ended since. */
export interface PendingFile {
  /** Key of the piece. */
  key: string;
  /** Tells executions of the piece apart: the one whose part was first counts. */
  attempt: string;
  round: number;
  pending: number;
  /** Requests of later rounds that changed nothing, and so have told of them nowhere yet. */
  requests?: RequestCounts;
}

export interface ChunkResult {
  /** Index of the first item not worked on; absent when the chunk is finished. */
  next?: number;
  pendingFile?: PendingFile;
  stopped?: Exclude<Standing, 'go'>;
}

/** Names one stored chunk of planned copies. */
export interface PlanChunk {
  slice: number;
  chunk: number;
  key: string;
  items: number;
}
