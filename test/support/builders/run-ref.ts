import type { RunRef } from '#domain/run/run.ts';

/** Some run. */
export const RUN: RunRef = {
  id: 'nightly-20260502T000000Z-aaaaaa',
  job: 'nightly',
  mode: 'incremental',
  trigger: 'http',
  dryRun: false,
  startedAt: '2026-05-02T00:00:00.000Z',
  epoch: 1,
};
