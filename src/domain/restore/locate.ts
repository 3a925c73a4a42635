import type { BlobState } from '../blobs/blob.ts';
import { isWhole } from '../copying/decision.ts';
import { readRecord } from '../copying/record.ts';
import type { BlobEntry } from '../run/outcome.ts';
import type { ProblemCode } from '../run/problems.ts';

/**
 * Which of a blob, its snapshots and its versions has the content of an entry of a restore point, without those that
 * could not be read (`unreadable`); undefined if none has.
 *
 * Readable content comes before archived content. The blob whose ETag the entry names comes before those that only
 * their record identifies: the entry names just that blob, and its record may be missing or wrong. Of the others, the
 * base blob comes before its snapshots and versions.
 */
export function locate(
  entry: BlobEntry,
  found: readonly BlobState[],
  unreadable: ReadonlySet<string> = new Set(),
): BlobState | undefined {
  const rank = (blob: BlobState) =>
    Number(isArchived(blob)) * 4 +
    Number(blob.etag !== entry.vaultEtag) * 2 +
    Number(blob.snapshotOrVersion !== undefined);
  return found
    .filter((blob) => holds(entry, blob) && !unreadable.has(holderKey(blob)))
    .sort((a, b) => rank(a) - rank(b))[0];
}

/**
 * The length and the type decide, too: an interrupted copy leaves the record on a blob of no bytes. No MD5 decides
 * anything, because anyone who can write to the source can set it.
 */
export function holds(entry: BlobEntry, blob: BlobState): boolean {
  if (!isWhole(blob) || blob.size !== entry.size || blob.type !== (entry.type ?? 'block')) return false;
  return blob.etag === entry.vaultEtag || readRecord(blob.metadata)?.etag === entry.etag;
}

/** Tells apart what one name has in the vault. */
export function holderKey({ etag, snapshotOrVersion }: Pick<BlobState, 'etag' | 'snapshotOrVersion'>): string {
  return JSON.stringify([etag, snapshotOrVersion]);
}

/**
 * Whether deleting this could remove the content of an entry. Wider than `holds`: a blob of the wrong length may be all
 * that is left.
 */
export function mayHoldEntry(entry: BlobEntry, blob: BlobState): boolean {
  return readRecord(blob.metadata)?.etag === entry.etag || blob.etag === entry.vaultEtag;
}

/** Whether the content must be rehydrated before it can be read. */
export function isArchived({ tier }: BlobState): boolean {
  return tier === 'Archive';
}

/**
 * The code for content that was not found: nothing is there, or something else, written by another than Strongroom. A
 * later copy of ours does not hide that this content is gone.
 */
export function missingOrOther(entry: BlobEntry, found: readonly BlobState[]): ProblemCode {
  const base = found.find(({ snapshotOrVersion }) => snapshotOrVersion === undefined);
  if (base === undefined) return 'content-missing';
  const record = readRecord(base.metadata);
  const isLater = base.etag !== entry.vaultEtag && record !== undefined && record.etag !== entry.etag;
  return isLater ? 'content-missing' : 'content-mismatch';
}
