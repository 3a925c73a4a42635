import { lockPath, readerPath } from './control-paths.ts';
import type { RunMode } from './run.ts';

/** A run, as far as its lock is concerned. */
export interface LockedRun {
  id: string;
  job: string;
  mode: RunMode;
}

/**
 * Whether runs of this mode only read a finished restore point. Such a run, a reader, does not take the lock of its
 * job: it has a lock of its own, so any number of readers are in progress at once, beside any other run. While that
 * lock is open, prunes keep everything that the restore point needs.
 */
export function isReader(mode: RunMode): mode is 'restore' | 'verify' {
  return mode === 'restore' || mode === 'verify';
}

/** Where the lock of a run is. */
export function lockPathOf(run: LockedRun): string {
  return isReader(run.mode) ? readerPath(run) : lockPath(run.job);
}
