import { createHash } from 'node:crypto';
import type { BlobState } from './blob.ts';
import { isWhole } from './decision.ts';
import { readRecord } from './record.ts';
import type { RetentionDecision } from './retention.ts';

/** What a prune is to do. Small, without secrets: it is stored in histories. Without a plan it makes one. */
export interface PruneTask {
  /** Of a prune that deletes: the run that made the plan, and the plan's hash. */
  plan?: { run: string; hash: string };
  /** Of a prune that was started by its schedule: the plan is carried out when it is made. */
  carryOut?: boolean;
}

/** A restore point, or what may become one: everything it names is needed while it is in `keeps`. */
export interface PointName {
  job: string;
  id: string;
  /** It is at work, or was lost. */
  unpublished?: true;
}

/** What a prune will do about restore points. What it will do about content is in the plan's chunks, item by item. */
export interface PrunePlan {
  job: string;
  /** When it was decided, ISO 8601. */
  at: string;
  /** Of the job's restore points, newest first; without those that were removed before. */
  decisions: RetentionDecision[];
  /** To be marked as removed: no longer restorable, their content safe until the margin is over. */
  remove: string[];
  /** Marked so long ago that content only they need is deleted, and their manifests after it. */
  expired: string[];
  /** Every restore point in the vault, of whatever job, whose content must stay. */
  keeps: PointName[];
  /** Milliseconds that content stays after its last restore point was marked. */
  marginMs: number;
  /** Deleted is only what has been as it is since before this time, ISO 8601. */
  before: string;
  /** Address of the account that is backed up: of base blobs, only those go whose source is gone there. */
  source: string;
  /** Names the plan: another set of restore points, holds, brakes or another policy makes another hash. */
  hash: string;
}

export function withHash(plan: Omit<PrunePlan, 'hash'>): PrunePlan {
  const { job, decisions, remove, expired, keeps, marginMs, source } = plan;
  // Runs come and go, and what they name is in the vault or in the source anyway.
  const kept = keeps
    .filter(({ unpublished }) => !unpublished)
    .map(({ job: of, id }) => `${of}/${id}`)
    .sort();
  const decided = decisions.map(({ id, keep }) => `${id} ${keep}`).sort();
  const text = JSON.stringify([job, decided, [...remove].sort(), [...expired].sort(), kept, marginMs, source]);
  return { ...plan, hash: createHash('sha256').update(text).digest('hex').slice(0, 32) };
}

export function isPrunePlan(value: unknown): value is PrunePlan {
  if (typeof value !== 'object' || value === null) return false;
  const { hash, at, before, decisions, remove, expired, keeps } = value as Partial<PrunePlan>;
  return (
    typeof hash === 'string' &&
    typeof at === 'string' &&
    typeof before === 'string' &&
    [decisions, remove, expired, keeps].every((list) => Array.isArray(list))
  );
}

/** Why something in the vault may go. */
export type PruneReason =
  /** A snapshot or version that no restore point needs. */
  | 'not-needed'
  /** A base blob that no restore point needs, and whose source is gone. */
  | 'source-gone';

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
  const earlier = group.filter(({ kept }) => kept !== undefined);
  const gone = earlier.filter(mayGo);
  const found: { blob: BlobState; reason: PruneReason }[] = gone.map((blob) => ({ blob, reason: 'not-needed' }));
  const bases = group.filter(({ kept }) => kept === undefined);
  const base = bases.length === 1 ? bases[0] : undefined;
  if (base && gone.length === earlier.length && mayGo(base)) found.push({ blob: base, reason: 'source-gone' });
  return found;
}

/** When it came to be as it is: a snapshot later than the blob that it keeps. */
function timeOf({ kept, lastModified }: BlobState): number {
  const made = kept && 'snapshot' in kept ? Date.parse(kept.snapshot) : Number.NaN;
  const modified = Date.parse(lastModified);
  // A time that cannot be read is no reason to delete.
  if (Number.isNaN(modified)) return Number.POSITIVE_INFINITY;
  return Number.isNaN(made) ? modified : Math.max(made, modified);
}
