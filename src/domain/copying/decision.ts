import type { BlobState } from '../blobs/blob.ts';
import type { CopyReason } from '../run/reasons.ts';
import {
  isCopiedByService,
  readRecord,
  type SourceRecord,
  settableTier,
  tagFingerprint,
  tagsAreWithheld,
} from './record.ts';

export type Decision =
  | { action: 'copy'; reason: CopyReason }
  /** A copy of this very version is pending: wait for it. */
  | { action: 'adopt'; copyId: string }
  /** A copy of another version is pending: abort it first. */
  | { action: 'abort'; copyId: string }
  /** The content is there; set only tier or tags. */
  | { action: 'update'; reason: 'tier' | 'tags' }
  /** This run has copied it: an activity runs a second time. */
  | { action: 'done' }
  | { action: 'unchanged' }
  | { action: 'skip'; code: 'source-archived' | 'directory' };

/**
 * Decides what to do with one source blob. `backup` is the blob of the same name in the vault, with its metadata and
 * copy state. The source ETag in its record decides. Times decide only without a record of ours. Nothing that the
 * writer of the source may set on a blob does, such as its Content-MD5.
 */
export function decide(
  source: BlobState,
  backup: BlobState | undefined,
  mode: 'full' | 'incremental',
  run: string,
): Decision {
  if (source.isDirectory) return { action: 'skip', code: 'directory' };
  const record = readRecord(backup?.metadata);
  const sameVersion = record?.etag === source.etag;
  if (backup?.copy?.status === 'pending') {
    return { action: sameVersion ? 'adopt' : 'abort', copyId: backup.copy.id };
  }
  const whole = backup !== undefined && isWhole(backup);
  const held = whole && sameVersion && backup.size === source.size && backup.type === source.type;
  if (source.tier === 'Archive') {
    // Content that was copied before it was archived is still the content. Azure cannot read the archived blob now.
    return held ? { action: 'unchanged' } : { action: 'skip', code: 'source-archived' };
  }
  if (held && record.run === run) return outdatedProperty(source, record) ?? { action: 'done' };
  if (backup === undefined) return { action: 'copy', reason: 'new' };
  if (!whole) return { action: 'copy', reason: 'incomplete' };
  if (mode === 'full') return { action: 'copy', reason: reasonOfFull(source, record) };
  if (held) return outdatedProperty(source, record) ?? { action: 'unchanged' };
  if (record) return { action: 'copy', reason: sameVersion ? 'incomplete' : 'changed' };
  if (!isOutdated(source, backup)) return { action: 'unchanged' };
  return { action: 'copy', reason: canHaveRecord(source) ? 'untracked' : 'unrecorded' };
}

/** What changed, and what someone else has written to the vault, is not what a full run only copies once more. */
function reasonOfFull(source: BlobState, record: SourceRecord | undefined): CopyReason {
  if (record) return record.etag === source.etag ? 'full' : 'changed';
  return canHaveRecord(source) ? 'untracked' : 'full';
}

/** Whether a copy of ours would have a record. */
function canHaveRecord({ metadata }: BlobState): boolean {
  return !isCopiedByService(metadata);
}

function outdatedProperty(source: BlobState, record: SourceRecord): Decision | undefined {
  const tier = settableTier(source);
  if (tier !== undefined && tier !== record.tier) return { action: 'update', reason: 'tier' };
  if (tagsDiffer(source, record.tags)) return { action: 'update', reason: 'tags' };
  return undefined;
}

/** False for the remains of a failed or aborted copy. */
export function isWhole(backup: BlobState): boolean {
  return backup.copy === undefined || backup.copy.status === 'success';
}

function tagsDiffer(source: BlobState, recorded: string | undefined): boolean {
  // The problems of the run report what cannot be compared.
  if (tagsAreWithheld(source)) return false;
  return tagFingerprint(source.tags) !== recorded;
}

/** By how much the clocks of two accounts may differ, in milliseconds. */
const CLOCK_MARGIN = 15 * 60_000;

/**
 * For a blob without our record: unless it is newer by more than clocks can differ, it may be of an older version. MD5s
 * that differ show another version, too. Equal ones show nothing, because anyone can set them.
 */
function isOutdated(source: BlobState, backup: BlobState): boolean {
  if (source.size !== backup.size || source.type !== backup.type) return true;
  const haveMd5s = source.contentMd5 !== undefined && backup.contentMd5 !== undefined;
  if (haveMd5s && source.contentMd5 !== backup.contentMd5) return true;
  return !(Date.parse(backup.lastModified) - Date.parse(source.lastModified) > CLOCK_MARGIN);
}
