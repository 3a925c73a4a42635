import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Members } from './members.ts';

/** A restore point, or a run that may become one. Everything that it names is needed while it is in `keeps`. */
export interface PointName {
  job: string;
  id: string;
  /** It is in progress, or was lost. */
  unpublished?: true;
}

/** A restore point that a run in progress reads. */
export interface Reading {
  job: string;
  point: string;
  run: string;
}

/** What a prune does with restore points. The chunks of the plan say what it does with content, item by item. */
export interface PrunePlan {
  job: string;
  /** The time of the decision, ISO 8601. */
  at: string;
  /** Restore points of the job, newest first, without those removed earlier. */
  decisions: RetentionDecision[];
  /** To be marked as removed: nothing can restore them any more, and their content is safe until the margin ends. */
  remove: string[];
  /** Marked longer ago than the margin: the prune deletes content that only they need, then their manifests. */
  expired: string[];
  /** Restore points whose margin is over, and that a run in progress reads: the next prune deletes their content. */
  reading: Reading[];
  /** Restore points that were removed before, and of which something was written since: the prune deletes that. */
  leftovers?: string[];
  /** Runs that left no restore point, and ended long ago: the prune deletes everything of them but their summaries. */
  oldRuns?: string[];
  /** Every restore point of the vault, of any job, whose content must stay. */
  keeps: PointName[];
  /** Backup containers and folders of tables with a safety brake: the prune deletes nothing there. */
  braked: string[];
  /** Milliseconds that content stays after its last restore point was marked. */
  marginMs: number;
  /** The prune deletes only what has not changed since this time, ISO 8601. */
  before: string;
  /** Address of the backed-up account. A base blob is deleted only if its source is gone there. */
  source: string;
  /** Identifies the plan: other restore points, holds, brakes or another policy give another hash. */
  hash: string;
}

export function withHash(plan: Omit<PrunePlan, 'hash'>): PrunePlan {
  const { job, decisions, remove, expired, keeps, braked, marginMs, source } = plan;
  // Runs without a summary change nothing: the vault or the source has what they name.
  const kept = keeps
    .filter(({ unpublished }) => !unpublished)
    .map(({ job: of, id }) => `${of}/${id}`)
    .sort();
  const decided = decisions.map(({ id, keep }) => `${id} ${keep}`).sort();
  const text = JSON.stringify([
    job,
    decided,
    [...remove].sort(),
    [...expired].sort(),
    kept,
    [...braked].sort(),
    marginMs,
    source,
  ]);
  return { ...plan, hash: createHash('sha256').update(text).digest('hex').slice(0, 32) };
}

const text = z.string();
const list = z.array(text);
const pointName = z.strictObject({
  job: text,
  id: text,
  unpublished: z.literal(true).optional(),
} satisfies Members<PointName>);
export const planSchema = z.strictObject({
  job: text,
  at: text,
  decisions: z.array(z.strictObject({ id: text, keep: z.boolean(), reasons: list })),
  remove: list,
  expired: list,
  reading: z.array(z.strictObject({ job: text, point: text, run: text })),
  leftovers: list.optional(),
  oldRuns: list.optional(),
  keeps: z.array(pointName),
  braked: list,
  marginMs: z.number().nonnegative(),
  before: text,
  source: text,
  hash: text,
} satisfies Members<PrunePlan>);

export function isPrunePlan(value: unknown): value is PrunePlan {
  return planSchema.safeParse(value).success;
}

export interface RetentionDecision {
  id: string;
  keep: boolean;
  /** Every rule that keeps it, such as `last 3`, `weekly 2026-W47`, `held: …`; or that none does. */
  reasons: string[];
}
