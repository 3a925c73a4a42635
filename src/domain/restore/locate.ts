import type { BlobState } from '../blobs/blob.ts';
import { isWhole } from '../copying/decision.ts';
import { readRecord } from '../copying/record.ts';
import type { BlobEntry } from '../run/outcome.ts';

/**
 * Which of a blob, its snapshots and its versions has the content of an entry of a restore point; undefined if none
 * has.
 *
 * The record of a copy decides, together with the length: an interrupted copy leaves the record on a blob of no bytes.
 * A copy whose metadata could not carry the record is known by its ETag in the vault. Readable content comes before
 * archived content, and the base blob before its snapshots and versions.
 */
export function locate(entry: BlobEntry, found: readonly BlobState[]): BlobState | undefined {
  const holders = found.filter((blob) => holds(entry, blob));
  return (
    holders.find((blob) => !isArchived(blob) && blob.snapshotOrVersion === undefined) ??
    holders.find((blob) => !isArchived(blob)) ??
    holders[0]
  );
}

export function holds(entry: BlobEntry, blob: BlobState): boolean {
  if (!isWhole(blob) || blob.size !== entry.size || blob.type !== (entry.type ?? 'block')) return false;
  const record = readRecord(blob.metadata);
  return record === undefined ? blob.etag === entry.vaultEtag : record.etag === entry.etag;
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
 * Whether a listing shows that the bytes are not those of the backup: the service computes this MD5 whenever it
 * receives bytes, and copies it with every copy. An equal MD5 proves nothing about the bytes.
 */
export function hasOtherHash(entry: BlobEntry, blob: BlobState): boolean {
  return entry.md5 !== undefined && blob.contentMd5 !== undefined && blob.contentMd5 !== entry.md5;
}
