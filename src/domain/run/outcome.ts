import type { BlobState, SnapshotOrVersion } from '../blobs/blob.ts';
import { defined } from './defined.ts';
import type { ProblemCode } from './problems.ts';
import type { CopyReason, PruneReason } from './reasons.ts';

export type CopyMethod = 'sync' | 'async' | 'blocks';

/** One blob of a restore point: the version of the source, and the blob in the vault that has its content. */
export interface BlobEntry {
  name: string;
  /** ETag and last-modified time of the source version. */
  etag: string;
  modified: string;
  size: number;
  /** Absent for block blobs. */
  type?: 'page' | 'append';
  md5?: string;
  tier?: string;
  /** True for a sealed append blob. */
  sealed?: boolean;
  tags?: Record<string, string>;
  /** ETag of the blob in the vault that has the content, as it was when the outcome was written. */
  vaultEtag?: string;
  /** Name of that blob, without the prefix of the container, if it is not the name of the source blob. */
  vaultName?: string;
  /** All metadata of the source, as it was listed; only if the blob in the vault lacks some of it. */
  metadata?: Record<string, string>;
}

/** SHA-256 of the content of a blob, hex, and the deep verification that read it first. */
export interface ProvedContent {
  sha256: string;
  run: string;
  at: string;
}

export interface Settled extends BlobEntry {
  code?: ProblemCode;
  /** The message of the service. */
  message?: string;
  /** In a verification that read the blob: SHA-256 of its bytes, hex. */
  sha256?: string;
  /** In a deep verification: what an earlier one read of this version. */
  proved?: ProvedContent;
  /** In a prune: the snapshot or version of the blob. */
  snapshotOrVersion?: SnapshotOrVersion;
}

export interface Copied extends Settled {
  status: 'copied';
  method?: CopyMethod | 'properties';
  /** In a restore, `new` or `replaced`. */
  reason?: CopyReason | 'tier' | 'tags' | 'replaced';
}

export interface Unchanged extends Settled {
  status: 'unchanged';
  reason?: PruneReason;
}

export interface Skipped extends Settled {
  status: 'skipped';
  code: ProblemCode;
}

export interface Failed extends Settled {
  status: 'failed';
  code: ProblemCode;
  /** All that a retry of a backup needs to try again without a listing. */
  source?: BlobState;
  reason?: PruneReason;
}

/** Only a prune removes. */
export interface Removed extends Settled {
  status: 'removed';
  reason: PruneReason;
}

/** One line of a restore point's manifest: the source blob as the run saw it, and its outcome. */
export type Outcome = Copied | Unchanged | Skipped | Failed | Removed;

/**
 * Why a run does not hold what the restore point before it held: the source does not have it any more, the run skipped
 * it, the run could not back it up, or the job does not back it up any more.
 */
export type NoLongerHeldCode = 'deleted' | 'skipped' | 'failed' | 'not-selected';

/** A blob or table that the restore point before held, with its version then, and that the run does not hold. */
export interface NoLongerHeld extends Pick<BlobEntry, 'name' | 'etag' | 'modified' | 'size'> {
  status: 'no-longer-held';
  code: NoLongerHeldCode;
  /** Why it was skipped, or failed. */
  cause?: ProblemCode;
  /** Of a table, which is one line. */
  entities?: number;
}

/** A blob that the restore point has. */
export type Held = Copied | Unchanged;

export type OutcomeStatus = Outcome['status'];

/** The members of an outcome other than its blob and status. */
export type OutcomeDetails<Status extends OutcomeStatus> = Omit<
  Extract<Outcome, { status: Status }>,
  'status' | Exclude<keyof BlobEntry, 'vaultEtag' | 'vaultName' | 'metadata'>
>;

/** A blob to copy, as the scan saw both sides of it. */
export interface PlannedItem {
  /** The blob to copy; in a restore, the blob in the vault, or its snapshot or version. */
  from: BlobState;
  /** The blob of its name at the destination. */
  to?: BlobState;
  /** In a backup: the name of the copy, without the prefix of the container, if it is not that of the blob. */
  vaultName?: string;
  reason: CopyReason | 'tier' | 'tags' | 'pending' | 'restore' | PruneReason;
  /** In a restore: the blob as the restore point has it. */
  entry?: Held;
  /** In a deep verification: what an earlier one read of this version. */
  proved?: ProvedContent;
  /** In a prune, which deletes `from`: the places where its source may be. None of them may have it. */
  origins?: { container: string; name: string }[];
}

/** A copy that the service has accepted and not finished. */
export interface PendingCopy {
  planned: PlannedItem;
  copyId: string;
  /** When this run started it, or found it in progress. */
  startedAt: string;
  /** How many asynchronous copies of this blob the run has started. */
  tries: number;
  /** What the copy lacks. */
  lacks?: ProblemCode;
  /** In a restore: no copy yet; Azure is rehydrating the content. `copyId` is empty. */
  rehydrating?: true;
}

export function isPending(item: Outcome | PendingCopy): item is PendingCopy {
  return 'copyId' in item;
}

export function outcomeOf<Status extends OutcomeStatus>(
  source: BlobState,
  status: Status,
  ...[details]: Partial<OutcomeDetails<Status>> extends OutcomeDetails<Status>
    ? [OutcomeDetails<Status>?]
    : [OutcomeDetails<Status>]
): Extract<Outcome, { status: Status }> {
  const { name, etag, lastModified: modified, size, type, contentMd5: md5, tier, tierInferred, sealed, tags } = source;
  return {
    ...{ name, status, etag, modified, size },
    ...defined({ type: type === 'block' ? undefined : type, md5, tier: tierInferred ? undefined : tier, sealed, tags }),
    ...details,
  } as unknown as Extract<Outcome, { status: Status }>;
}

/** A blob as a restore point has it, without what its backup did. */
export function asBackedUp(entry: BlobEntry): BlobEntry {
  const { name, etag, modified, size, type, md5, tier, sealed, tags, vaultEtag, vaultName, metadata } = entry;
  return { name, etag, modified, size, ...defined({ type, md5, tier, sealed, tags, vaultEtag, vaultName, metadata }) };
}

/** The failure of a planned item, with all that a retry needs. */
export function failedItem({ from: source, entry }: PlannedItem, code: ProblemCode, message?: string): Failed {
  const problem = { code, ...defined({ message }) };
  if (entry) return { ...asBackedUp(entry), status: 'failed', ...problem };
  return outcomeOf(source, 'failed', { ...problem, source });
}

/** Why a planned item was copied, as its outcome names it. */
export function copyReasonOf(reason: PlannedItem['reason']): Pick<Copied, 'reason'> {
  const isOfCopy = reason !== 'pending' && reason !== 'restore' && reason !== 'not-needed' && reason !== 'source-gone';
  return isOfCopy ? { reason } : {};
}
