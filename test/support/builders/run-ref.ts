import type { BackupRef, RunMode, RunRef } from '#domain/run/run.ts';
import type { PruneTask, RestoreTask, VerifyTask } from '#domain/run/tasks.ts';

/** A run for tests that need any. */
export const RUN: BackupRef = {
  id: 'nightly-20260502T000000Z-aaaaaa',
  job: 'nightly',
  mode: 'incremental',
  trigger: 'http',
  dryRun: false,
  startedAt: '2026-05-02T00:00:00.000Z',
  epoch: 1,
};

/** Fields of a run of any mode. */
export interface RunFields extends Partial<Omit<BackupRef, 'mode'>> {
  mode?: RunMode;
  retryOf?: string;
  restore?: RestoreTask;
  verify?: VerifyTask;
  prune?: PruneTask;
}

/** A run with fields that fit its mode. */
export function runRef(fields: RunFields): RunRef {
  return { ...RUN, ...fields } as RunRef;
}
