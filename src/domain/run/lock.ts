import { z } from 'zod';
import { defined } from './defined.ts';
import type { Members } from './members.ts';
import { type Occurrence, type Scheduled, type Served, withServed } from './occurrence.ts';
import type { RunRef, UnlockedRun } from './run.ts';
import { runRefSchema } from './run-ref-schema.ts';

/**
 * One run of a job at a time that writes to the vault. The lock is a small object in the vault, replaced by
 * compare-and-swap. Its epoch grows with every run, so an activity of an older run can tell that it is superseded. The
 * lock also has the request to cancel: one small read tells an activity whether it may continue. Each run that only
 * reads has a lock of its own (`lock-place.ts`).
 */
export interface RunLock {
  job: string;
  epoch: number;
  /** The run that holds the lock; null when it is free. */
  run: RunRef | null;
  since: string;
  cancel: boolean;
  /** The last run that left something to retry: only this one may be retried. */
  last?: string;
  /** The last run that left a restore point: the next backup is compared with it. */
  point?: string;
  /** How many deep verifications have started, which determines the next portion. */
  turn?: number;
  /** What the schedules of the job have started: an occurrence is served once, also if its timer fires twice. */
  served?: Served;
}

/** The lock of a job that never ran. */
export function newLock(job: string, now: Date): RunLock {
  return { job, epoch: 0, run: null, since: now.toISOString(), cancel: false };
}

/** The lock while this run holds it, for an occurrence of a schedule or not. The caller decides whether it may. */
export function acquire(
  current: RunLock | undefined,
  run: UnlockedRun,
  now: Date,
  due?: Occurrence,
): RunLock & { run: RunRef } {
  const epoch = (current?.epoch ?? 0) + 1;
  const { last, point, turn } = current ?? {};
  const served = due ? withServed(current?.served, due, run.id) : current?.served;
  return {
    job: run.job,
    epoch,
    run: { ...run, epoch },
    since: now.toISOString(),
    cancel: false,
    ...defined({ last, point, turn, served }),
  };
}

/** What an ended run changes in the lock. An absent field keeps its value. */
export type Left = Pick<RunLock, 'last' | 'point'>;

export function release(current: RunLock, now: Date, left: Left = {}): RunLock {
  return { ...current, run: null, since: now.toISOString(), cancel: false, ...left };
}

export type Standing = 'go' | 'cancelled' | 'superseded';

/** Whether a run may continue, by the lock as it is now. */
export function standingOf(lock: RunLock | undefined, run: { id: string; epoch: number }): Standing {
  if (lock === undefined || lock.run?.id !== run.id || lock.epoch !== run.epoch) return 'superseded';
  return lock.cancel ? 'cancelled' : 'go';
}

const text = z.string();
const time = text.refine((value) => !Number.isNaN(Date.parse(value)));
const markSchema = z.strictObject({
  at: time,
  run: text,
  schedule: text.optional(),
} satisfies Members<NonNullable<Served[Scheduled]>>);
const lockSchema = z.strictObject({
  job: text,
  epoch: z.int().nonnegative(),
  run: runRefSchema.nullable(),
  since: time,
  cancel: z.boolean(),
  last: text.optional(),
  point: text.optional(),
  turn: z.int().nonnegative().optional(),
  served: z.partialRecord(z.enum(['backup', 'verify', 'prune', 'reconcile']), markSchema).optional(),
} satisfies Members<RunLock>);

/** Whether an object is the lock of this job. */
export function isLock(value: unknown, job: string): value is RunLock {
  const { data } = lockSchema.safeParse(value);
  if (data?.job !== job) return false;
  return data.run === null || (data.run.job === job && data.run.epoch === data.epoch);
}
