import type { BlobState } from '../blobs/blob.ts';
import { isWhole } from '../copying/decision.ts';
import { readRecord } from '../copying/record.ts';
import type { PruneReason } from '../run/reasons.ts';

/**
 * Of a blob and all that is kept of it, what may be deleted, in the order to do it in; `isNeeded` says what some restore point's
 * content is. Whatever is not surely ours, not old enough, or not whole, stays. The base blob goes last, and only when nothing is
 * left of it; that its source is gone has still to be looked at.
 */
export function deletable(
  group: readonly BlobState[],
  isNeeded: (blob: BlobState) => boolean,
  before: number,
): { blob: BlobState; reason: PruneReason }[] {
  const mayGo = (blob: BlobState) =>
    !isNeeded(blob) &&
    // Without our record it may be anybody's.
    readRecord(blob.metadata) !== undefined &&
    isWhole(blob) &&
    timeOf(blob) < before;
  const earlier = group.filter(({ snapshotOrVersion: kept }) => kept !== undefined);
  const gone = earlier.filter(mayGo);
  const found: { blob: BlobState; reason: PruneReason }[] = gone.map((blob) => ({ blob, reason: 'not-needed' }));
  const bases = group.filter(({ snapshotOrVersion: kept }) => kept === undefined);
  const base = bases.length === 1 ? bases[0] : undefined;
  if (base && gone.length === earlier.length && mayGo(base)) found.push({ blob: base, reason: 'source-gone' });
  return found;
}

/** When it came to be as it is: a snapshot later than the blob that it keeps. */
function timeOf({ snapshotOrVersion: kept, lastModified }: BlobState): number {
  const made = kept && 'snapshot' in kept ? Date.parse(kept.snapshot) : Number.NaN;
  const modified = Date.parse(lastModified);
  // A time that cannot be read is no reason to delete.
  if (Number.isNaN(modified)) return Number.POSITIVE_INFINITY;
  return Number.isNaN(made) ? modified : Math.max(made, modified);
}
