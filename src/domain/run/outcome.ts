import type { BlobState, SnapshotOrVersion } from '../blobs/blob.ts';
import type { ProblemCode } from './problems.ts';
import type { CopyReason, PruneReason } from './reasons.ts';

/** What became of one listed blob. Only a prune removes. */
export type OutcomeStatus = 'copied' | 'unchanged' | 'skipped' | 'failed' | 'removed';

export type CopyMethod = 'sync' | 'async' | 'blocks';

/** One line of a restore point's manifest: the source blob as the run saw it, and what became of it. */
export interface Outcome {
  name: string;
  status: OutcomeStatus;
  /** ETag and last-modified time of the source version. */
  etag: string;
  modified: string;
  size: number;
  /** In a prune: which snapshot or version of the blob it was. */
  snapshotOrVersion?: SnapshotOrVersion;
  /** Absent for block blobs. */
  type?: 'page' | 'append';
  md5?: string;
  tier?: string;
  tags?: Record<string, string>;
  /** ETag of the blob in the vault that holds the content, as it was when this was written. */
  vaultEtag?: string;
  method?: CopyMethod | 'properties';
  /** In a restore, `new` or `replaced`. */
  reason?: CopyReason | 'tier' | 'tags' | 'replaced' | PruneReason;
  code?: ProblemCode;
  /** What the service said, for people. */
  message?: string;
  /** Only where `failed`: everything a retry needs to try again without listing. */
  source?: BlobState;
}

/** A blob that is to be copied, as the scan saw both sides of it. */
export interface PlannedItem {
  /** What is copied: in a restore, the blob in the vault or what is kept of it. */
  from: BlobState;
  /** What is there where it is copied to. */
  to?: BlobState;
  reason: CopyReason | 'tier' | 'tags' | 'pending' | 'restore' | PruneReason;
  /** In a restore: the blob as the restore point has it. */
  entry?: Outcome;
  /** In a prune, which copies nothing but deletes `source`: where its own source may be, which must be gone. */
  origins?: { container: string; name: string }[];
}

/** A copy that the service has accepted and not finished. */
export interface PendingCopy {
  planned: PlannedItem;
  copyId: string;
  /** Whether this run started it, or found it under way. */
  startedAt: string;
  /** How many asynchronous copies of this blob the run has started. */
  tries: number;
  /** What the copy was made without. */
  lacks?: ProblemCode;
  /** In a restore: no copy yet, but archived content that has been asked back. `copyId` is empty. */
  rehydrating?: true;
}

export function isPending(item: Outcome | PendingCopy): item is PendingCopy {
  return 'copyId' in item;
}

export function outcomeOf(source: BlobState, status: OutcomeStatus, more: Partial<Outcome> = {}): Outcome {
  return {
    name: source.name,
    status,
    etag: source.etag,
    modified: source.lastModified,
    size: source.size,
    ...(source.type !== 'block' && { type: source.type }),
    ...(source.contentMd5 !== undefined && { md5: source.contentMd5 }),
    ...(source.tier !== undefined && !source.tierInferred && { tier: source.tier }),
    ...(source.tags !== undefined && { tags: source.tags }),
    ...more,
  };
}

/** A blob as a restore point has it, without what its backup did. */
export function asBackedUp(entry: Outcome): Omit<Outcome, 'status'> {
  const { name, etag, modified, size, type, md5, tier, tags, vaultEtag } = entry;
  return {
    name,
    etag,
    modified,
    size,
    ...(type !== undefined && { type }),
    ...(md5 !== undefined && { md5 }),
    ...(tier !== undefined && { tier }),
    ...(tags !== undefined && { tags }),
    ...(vaultEtag !== undefined && { vaultEtag }),
  };
}

/** A planned copy that came to nothing, with all that a retry needs. */
export function failureOf({ from: source, entry }: PlannedItem, code: ProblemCode, message?: string): Outcome {
  const about = { code, ...(message !== undefined && { message }) };
  if (entry) return { ...asBackedUp(entry), status: 'failed', ...about };
  return outcomeOf(source, 'failed', { ...about, source });
}
