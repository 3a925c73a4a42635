import type { BlobState } from '../blobs/blob.ts';
import { isWhole } from '../copying/decision.ts';
import { readRecord } from '../copying/record.ts';
import type { PruneReason } from '../run/reasons.ts';

/**
 * What may be deleted of a blob, its snapshots and its versions, in the order of deletion. `isNeeded` says which
 * content a restore point needs. Everything stays that may not be ours, is too recent, or is incomplete. The base blob
 * is deleted last, and only if nothing else of it is left; whether its source is gone is checked later.
 */
export function deletable(
  group: readonly BlobState[],
  isNeeded: (blob: BlobState) => boolean,
  before: number,
): { blob: BlobState; reason: PruneReason }[] {
  const mayGo = (blob: BlobState) =>
    !isNeeded(blob) &&
    // A blob without our record may belong to anyone.
    readRecord(blob.metadata) !== undefined &&
    isWhole(blob) &&
    timeOf(blob) < before;
  const earlier = group.filter(({ snapshotOrVersion }) => snapshotOrVersion !== undefined);
  const gone = earlier.filter(mayGo);
  const found: { blob: BlobState; reason: PruneReason }[] = gone.map((blob) => ({ blob, reason: 'not-needed' }));
  const bases = group.filter(({ snapshotOrVersion }) => snapshotOrVersion === undefined);
  const base = bases.length === 1 ? bases[0] : undefined;
  if (base && gone.length === earlier.length && mayGo(base)) found.push({ blob: base, reason: 'source-gone' });
  return found;
}

/** When the blob became as it is. A snapshot is later than the blob it keeps. */
function timeOf({ snapshotOrVersion, lastModified }: BlobState): number {
  const made =
    snapshotOrVersion && 'snapshot' in snapshotOrVersion ? Date.parse(snapshotOrVersion.snapshot) : Number.NaN;
  const modified = Date.parse(lastModified);
  // An unreadable time is NaN, which is before nothing: it is not a reason to delete.
  return Number.isNaN(made) ? modified : Math.max(made, modified);
}
