import type { BlobState } from '../blobs/blob.ts';
import { isWhole } from '../copying/decision.ts';
import { readRecord } from '../copying/record.ts';
import type { BlobEntry } from '../run/outcome.ts';

/**
 * Which of a blob and its snapshots and versions holds the content of a restore point's entry; undefined when none does.
 *
 * The record that every copy carries decides, with the length: a copy that was broken off leaves the record on a blob of no
 * bytes. A copy whose metadata could not carry the record is known by the ETag it had in the vault. What is readable at once
 * comes before what is archived, and the base blob before what is kept of it.
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
 * Whether deleting this could take away what an entry names. Wider than `holds`: what has another length than it should have may
 * still be all that is left of it.
 */
export function mayHoldEntry(entry: BlobEntry, blob: BlobState): boolean {
  return readRecord(blob.metadata)?.etag === entry.etag || blob.etag === entry.vaultEtag;
}

/** Whether the content has to be rehydrated before it can be read. */
export function isArchived({ tier }: BlobState): boolean {
  return tier === 'Archive';
}

/**
 * Whether a listing shows that the bytes are not those that were backed up: the service computes this MD5 whenever it takes in
 * bytes, and copies it with every copy. That it is equal proves nothing of the bytes.
 */
export function hasOtherHash(entry: BlobEntry, blob: BlobState): boolean {
  return entry.md5 !== undefined && blob.contentMd5 !== undefined && blob.contentMd5 !== entry.md5;
}
