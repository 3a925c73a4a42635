import type { ContainerReport } from './run.ts';

/** When a run changed or lost so much of a container that pruning must wait until somebody has looked. */
export interface BrakePolicy {
  /** More than so many percent of the blobs there were, */
  percent: number;
  /** and at least so many. */
  blobs: number;
}

/** What a run made of one container. One that is not there any more was listed with no blobs. */
export interface ContainerChange {
  container: string;
  /** Listed by the restore point before. */
  before: number;
  listed: number;
  /** Of these, not in the mirror before. */
  added: number;
  /** Of these, copied because the source had another version. */
  changed: number;
}

/**
 * The containers that engage the brake. How many blobs are lost follows from the counts, and is never more than really
 * are: a blob that was gone for a time and is back, already in the mirror, makes up for one that is lost.
 */
export function brakeOf(
  changes: readonly ContainerChange[],
  policy: BrakePolicy,
): { container: string; changed: number; lost: number; of: number; reason: string }[] {
  return changes.flatMap(({ container, before, listed, added, changed }) => {
    const lost = Math.max(0, before + added - listed);
    const touched = changed + lost;
    if (touched * 100 <= policy.percent * before || touched < policy.blobs) return [];
    return [{ container, changed, lost, of: before, reason: reasonOf(container, changed, lost, before, policy) }];
  });
}

function reasonOf(container: string, changed: number, lost: number, before: number, policy: BrakePolicy): string {
  const what = [...(changed > 0 ? [`${changed} changed`] : []), ...(lost > 0 ? [`${lost} gone`] : [])].join(' and ');
  if (before === 0) return `${container}: ${what}, where the restore point before had no blobs`;
  return `${container}: ${what} of ${before} blob${before === 1 ? '' : 's'}, more than ${policy.percent}%`;
}

/**
 * What a run made of each container that the restore point before it has. A container that could not be listed this time says
 * nothing; one that is not there any more has lost all its blobs.
 */
export function changesBetween(before: readonly ContainerReport[], now: readonly ContainerReport[]): ContainerChange[] {
  const present = new Map(now.map((report) => [report.container, report]));
  return before.flatMap(({ container, counts }) => {
    const report = present.get(container);
    if (report?.status === 'failed' || counts.listed === 0) return [];
    const { listed = 0, added = 0, changed = 0 } = report?.counts ?? {};
    return [{ container, before: counts.listed, listed, added, changed }];
  });
}
