import { newLock, type RunLock } from './lock.ts';
import { isReader } from './lock-place.ts';
import type { RestoreRef, UnlockedRun, VerifyRef, Without } from './run.ts';

/** A run that only reads a restore point. */
export type ReaderRef = RestoreRef | VerifyRef;
export type UnlockedReader = Without<ReaderRef, 'epoch'>;

export function isReaderRun(run: UnlockedRun): run is UnlockedReader {
  return isReader(run.mode);
}

/** No other run ever has the lock of a reader. */
const ONLY_EPOCH = 1;

/** The lock of a reader while it is in progress. `turn` selects the portion of a deep verification. */
export function readerLock(run: UnlockedReader, now: Date, turn: number): RunLock & { run: ReaderRef } {
  const epoch = ONLY_EPOCH;
  return {
    job: run.job,
    epoch,
    run: run.mode === 'verify' ? { ...run, epoch, verify: { ...run.verify, turn } } : { ...run, epoch },
    since: now.toISOString(),
    cancel: false,
  };
}

/** Whether deep verifications take turns: each reads the next portion. */
export function takesTurn(run: UnlockedReader): boolean {
  return run.mode === 'verify' && run.verify.kind === 'deep';
}

/**
 * The lock of a job after one more deep verification has started. Its holder, if it has one, stays as it is. `before`:
 * how many have started, if the lock does not say so.
 */
export function withNextTurn(current: RunLock | undefined, job: string, now: Date, before = 0): RunLock {
  return { ...(current ?? newLock(job, now)), turn: (current?.turn ?? before) + 1 };
}

/** The restore point, or the file in the vault, that prunes must keep for a reader. */
export function readBy(run: UnlockedRun): { point?: string; file?: string } {
  if (run.mode === 'verify') return { point: run.verify.point };
  if (run.mode !== 'restore') return {};
  const { file, point } = run.restore;
  return file ? { file: file.name } : { point };
}
