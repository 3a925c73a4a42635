import type { WalkPosition } from '#domain/blobs/merge-walk.ts';
import type { Standing } from '#domain/run/lock.ts';
import type { ManifestPosition } from '#domain/run/manifest.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { PlanChunk } from './chunk.ts';
import type { ContainerTask } from './container-task.ts';

export interface SliceInput extends ContainerTask {
  slice: number;
  from?: WalkPosition;
  /** In place of `from`, where it is not the source that is walked but a restore point's manifest. */
  manifest?: ManifestPosition;
}

export interface SliceResult {
  chunks?: PlanChunk[];
  /** Where the next slice begins; absent after the last. */
  next?: WalkPosition;
  nextManifest?: ManifestPosition;
  problem?: Problem;
  stopped?: Exclude<Standing, 'go'>;
}
