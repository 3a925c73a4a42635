import type { WalkPosition } from '#domain/blobs/merge-walk.ts';
import type { ManifestPosition } from '#domain/run/manifest.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { PlanChunk } from './chunk.ts';
import type { ContainerTask } from './container-task.ts';
import type { StopReason } from './run-guard.ts';

export interface SliceInput<Run extends RunRef = RunRef> extends ContainerTask<Run> {
  slice: number;
  /** Where a walk of the source begins. */
  from?: WalkPosition;
  /** Where a walk of the manifest of a restore point begins. */
  manifest?: ManifestPosition;
}

export interface SliceResult {
  chunks?: PlanChunk[];
  /** Where the next slice begins; absent after the last. */
  next?: WalkPosition;
  nextManifest?: ManifestPosition;
  problem?: Problem;
  stopped?: StopReason;
}
