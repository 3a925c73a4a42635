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
