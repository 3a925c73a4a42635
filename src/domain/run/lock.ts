import { defined } from './defined.ts';
import type { RunRef, UnlockedRun } from './run.ts';

/**
 * One run of a job at a time. The lock is a small object in the vault, replaced by compare-and-swap. Its epoch grows
 * with every run, so an activity of an older run can tell that it is superseded. The lock also has the request to
 * cancel: one small read tells an activity whether it may continue.
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
}

/** The lock while this run holds it. The caller decides whether the run may take it. */
export function acquire(current: RunLock | undefined, run: UnlockedRun, now: Date): RunLock & { run: RunRef } {
  const epoch = (current?.epoch ?? 0) + 1;
  const { last, point, turn } = current ?? {};
  const isDeep = run.mode === 'verify' && run.verify.kind === 'deep';
  return {
    job: run.job,
    epoch,
    run: run.mode === 'verify' ? { ...run, epoch, verify: { ...run.verify, turn: turn ?? 0 } } : { ...run, epoch },
    since: now.toISOString(),
    cancel: false,
    ...defined({ last, point, turn: isDeep ? (turn ?? 0) + 1 : turn }),
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

/** Whether an object is the lock of this job. */
export function isLock(value: unknown, job: string): value is RunLock {
  const { job: of, epoch, run, since, cancel }: Partial<RunLock> = value ?? {};
  return (
    of === job &&
    Number.isSafeInteger(epoch) &&
    (run === null || (typeof run?.id === 'string' && run.job === job && run.epoch === epoch)) &&
    !Number.isNaN(Date.parse(String(since))) &&
    typeof cancel === 'boolean'
  );
}
