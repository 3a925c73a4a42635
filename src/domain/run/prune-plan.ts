import { createHash } from 'node:crypto';

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

export interface RetentionDecision {
  id: string;
  keep: boolean;
  /** Everything that keeps it, such as `last 3`, `weekly 2026-W47`, `held: …`; or that nothing does. */
  reasons: string[];
}
