import type { BlobState } from '#domain/blobs/blob.ts';
import { isAtomic } from '#domain/copying/copy-method.ts';
import { type Decision, decide, isWhole } from '#domain/copying/decision.ts';
import { type RunLock, standingOf } from '#domain/run/lock.ts';
import { problemOf } from '#domain/run/problems.ts';
import { canBeRetried, type RunRef, type RunStatus } from '#domain/run/run.ts';
import { lifeOf, patienceOf } from '#domain/run/sign-of-life.ts';
import { type Backup, COPY, type Lock, ORCHESTRATION, SUMMARY } from './world.ts';

/** The app's own decisions in the terms of the model. Results are cached, as the decisions are pure. */

/** In the order of `COPY`; the first is unused. */
const STATUS = ['success', 'pending', 'success', 'failed', 'aborted'] as const;
const AT = '2026-11-20T10:00:00.000Z';

/** Every version has the same size and time, as after an edit within a second: only the ETag differs. */
export function sourceState(version: number): BlobState {
  return { name: 'blob', etag: `s${version}`, lastModified: AT, size: 1, type: 'block' };
}

export function backupState(seen: Backup): BlobState | undefined {
  if (seen.etag === 0) return undefined;
  const foreign = seen.record === 0;
  return {
    name: 'blob',
    etag: `m${seen.etag}`,
    lastModified: AT,
    size: seen.content === 0 ? 0 : 1,
    type: 'block',
    ...(!foreign && {
      metadata: { strongroom_etag: `s${seen.record}`, strongroom_modified: AT, strongroom_run: runId(seen.run) },
    }),
    ...(seen.copyStatus !== COPY.none && { copy: { id: String(seen.copyId), status: STATUS[seen.copyStatus]! } }),
  };
}

export const runId = (run: number): string => `job-20261120T233000Z-${String(run).padStart(6, '0')}`;

const decided = new Map<number, Decision>();

/** The seen state holds the id of a copy to adopt or abort. */
export function decisionOf(source: number, seen: Backup, full: boolean, run: number): Decision['action'] {
  const size = seen.content === 0 ? 0 : 1;
  const facts = [source, seen.etag === 0 ? 0 : 1, seen.record, seen.run, size, seen.copyStatus, full ? 1 : 0, run];
  const key = facts.reduce((packed, fact) => packed * 16 + fact, 0);
  let found = decided.get(key);
  if (!found) {
    found = decide(sourceState(source), backupState(seen), full ? 'full' : 'incremental', runId(run));
    decided.set(key, found);
  }
  return found.action;
}

/** Whether an overwrite needs a snapshot first: a copy of the rule in `copyBlob`, which does not export it. */
export function mustKeep(seen: Backup, source: number, method: 'sync' | 'async' | 'blocks'): boolean {
  const backup = backupState(seen);
  if (backup === undefined || !isWhole(backup)) return false;
  return seen.record !== source || (seen.content !== 0 && !isAtomic(method));
}

const SINCE = '2026-11-20T23:30:00.000Z';
const PATIENCE = patienceOf({ silentMs: 600_000 });

export function runLock(lock: Lock): RunLock {
  const run: RunRef | null =
    lock.holder < 0
      ? null
      : {
          id: runId(lock.holder),
          job: 'job',
          mode: 'full',
          trigger: 'http',
          dryRun: false,
          startedAt: SINCE,
          epoch: lock.epoch,
        };
  return { job: 'job', epoch: lock.epoch, run, since: SINCE, cancel: lock.cancel === 1 };
}

export function standing(lock: Lock, run: number, epoch: number): 'go' | 'cancelled' | 'superseded' {
  if (lock.version === 0) return 'superseded';
  return standingOf(runLock(lock), { id: runId(run), epoch });
}

/** A run that has not started by now is silent for long; one in progress gives signs. */
export function abandoned(orchestration: number): boolean {
  const state =
    orchestration === ORCHESTRATION.none ? 'unknown' : orchestration === ORCHESTRATION.active ? 'active' : 'ended';
  return (
    lifeOf(state, { silence: state === 'unknown' ? Number.POSITIVE_INFINITY : 0, hasBegun: true }, PATIENCE) !==
    'running'
  );
}

/** In the order of `SUMMARY`. */
const RUN_STATUS: RunStatus[] = ['running', 'succeeded', 'completed-with-failures', 'failed', 'cancelled', 'failed'];

export function leavesSomethingToRetry(summary: number): boolean {
  const problems = summary === SUMMARY.lost ? [problemOf('run-lost', 0)] : [];
  return canBeRetried({ mode: 'incremental', dryRun: false, status: RUN_STATUS[summary]!, problems });
}
