import type { NameRange } from './name-range.ts';
import type { NoLongerHeldCode } from './outcome.ts';
import type { ProblemCode } from './problems.ts';

/** Why a run holds nothing of a container or table that the restore point before held. */
export interface Gone {
  code: Exclude<NoLongerHeldCode, 'skipped'>;
  cause?: ProblemCode;
}

/** What a run does not hold as the restore point before it did, in numbers. */
export interface Comparison {
  /** Held at another version. */
  changed: number;
  /** No longer held, by code. */
  deleted: number;
  skipped: number;
  failed: number;
  notSelected: number;
  /**
   * Of what is changed, deleted or skipped: how many the source has had since each baseline of the container, then
   * since each of all small containers, in order; the last number counts all.
   */
  lost: number[];
}

/** A part that compares a container or table with the restore point before, as the summary lists it. */
export interface ComparedPart extends Comparison {
  path: string;
  container: string;
  destination: string;
  sha256: string;
  names?: NameRange;
  /** True for the last part of the container or table. */
  last: boolean;
}

export function noComparison(baselines: number): Comparison {
  return { changed: 0, deleted: 0, skipped: 0, failed: 0, notSelected: 0, lost: Array(baselines + 1).fill(0) };
}

export function addComparison(into: Comparison, from: Comparison): void {
  for (const key of ['changed', 'deleted', 'skipped', 'failed', 'notSelected'] as const) into[key] += from[key];
  from.lost.forEach((count, index) => {
    into.lost[index] = (into.lost[index] ?? 0) + count;
  });
}

/** How many blobs the source still has, and the run does not hold. */
export function stillInSource({ skipped, failed }: Pick<Comparison, 'skipped' | 'failed'>): number {
  return skipped + failed;
}
