import type { RunRef, UnlockedRun } from './run.ts';

/**
 * One run of a job at a time. The lock is a small object in the vault, replaced by compare-and-swap; its epoch grows
 * with every run, so that an activity of an older run can tell that it has been superseded. It also carries the wish
 * to cancel: a single small read tells an activity all it needs to know before it goes on.
 */
export interface RunLock {
  job: string;
  epoch: number;
  /** The run that holds the lock; null when it is free. */
  run: RunRef | null;
  since: string;
  cancel: boolean;
  /** The last run that ended with something to show: the only one that may still be retried. */
  last?: string;
  /** The last full or incremental run that left a restore point: what the next one is compared with. */
  point?: string;
  /** How many deep verifications have begun: which share comes next. */
  turn?: number;
}

/** The lock as it is when this run holds it; whether it may is for the caller to judge. */
export function acquire(current: RunLock | undefined, run: UnlockedRun, now: Date): RunLock & { run: RunRef } {
  const epoch = (current?.epoch ?? 0) + 1;
  const { last, point, turn = 0 } = current ?? {};
  const next = run.mode === 'verify' && run.verify.kind === 'deep' ? turn + 1 : turn;
  return {
    job: run.job,
    epoch,
    run: run.mode === 'verify' ? { ...run, epoch, verify: { ...run.verify, turn } } : { ...run, epoch },
    since: now.toISOString(),
    cancel: false,
    ...(last !== undefined && { last }),
    ...(point !== undefined && { point }),
    ...(next > 0 && { turn: next }),
  };
}

/** What the end of a run leaves behind in the lock; what it does not say stays as it was. */
export type Left = Pick<RunLock, 'last' | 'point'>;

export function release(current: RunLock, now: Date, left: Left = {}): RunLock {
  return { ...current, run: null, since: now.toISOString(), cancel: false, ...left };
}

export type Standing = 'go' | 'cancelled' | 'superseded';

/** Whether a run may go on, judged by the lock as it is now. */
export function standingOf(lock: RunLock | undefined, run: { id: string; epoch: number }): Standing {
  if (lock === undefined || lock.run?.id !== run.id || lock.epoch !== run.epoch) return 'superseded';
  return lock.cancel ? 'cancelled' : 'go';
}

/** A run that took the lock and was never started is given up after this long. */
const START_GRACE_MS = 60_000;
/** A lock from further ahead than clocks can differ was taken before a clock was set back: it would outlive its run. */
const CLOCKS_APART_MS = 3_600_000;

/**
 * Whether the lock may be taken from its holder: only when the orchestration that should be working has ended, or
 * never began.
 */
export function isAbandoned(lock: RunLock, orchestration: 'active' | 'ended' | 'unknown', now: Date): boolean {
  if (orchestration === 'active') return false;
  if (orchestration === 'ended') return true;
  // The start follows the lock within moments; a clock that runs ahead must not rob a run that is just starting.
  const age = now.getTime() - Date.parse(lock.since);
  return age > START_GRACE_MS || age < -CLOCKS_APART_MS;
}

/** Whether what was read where this job's lock lies is one, and this job's. */
export function isLock(value: unknown, job: string): value is RunLock {
  if (typeof value !== 'object' || value === null) return false;
  const { job: of, epoch, run, since, cancel } = value as Partial<RunLock>;
  return (
    of === job &&
    Number.isSafeInteger(epoch) &&
    (run === null ||
      (typeof run === 'object' && typeof run.id === 'string' && run.job === job && run.epoch === epoch)) &&
    !Number.isNaN(Date.parse(String(since))) &&
    typeof cancel === 'boolean'
  );
}
