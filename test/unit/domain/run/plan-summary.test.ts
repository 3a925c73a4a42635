import { expect, test } from 'vitest';
import { planSummary } from '#domain/run/plan-summary.ts';
import { withHash } from '#domain/run/prune-plan.ts';
import type { ContainerReport } from '#domain/run/run.ts';

const decided = (id: string, keep: boolean) => ({ id, keep, reasons: ['x'] });
const PLAN = withHash({
  ...{ job: 'nightly', at: '2026-05-20T12:00:00.000Z', before: '', source: 'x', marginMs: 24 * 3_600_000 },
  decisions: [decided('c', true), decided('b', false), decided('a', false)],
  ...{ remove: ['b', 'a'], expired: ['0'], reading: [], keeps: [], braked: [] },
});
const COUNTS = { listed: 9, copied: 0, unchanged: 0, skipped: 0, failed: 0, planned: 7, removed: 5 };
const BYTES = { listed: 90, copied: 0, planned: 70, removed: 50 };

const HELD = { blobs: 4, kept: 3, bytes: 2 };
const CONTAINER = { held: HELD } as ContainerReport;

test('a plan is summed up with what the prune would delete, or has deleted', () => {
  const of = (dryRun: boolean, status: 'succeeded' | 'running') =>
    planSummary(PLAN, { mode: 'prune', dryRun, status, counts: COUNTS, bytes: BYTES, containers: [CONTAINER] });
  const points = { keeps: 1, removes: 2, empties: 1, emptiesFrom: '2026-05-21T12:00:00.000Z' };
  expect(of(true, 'succeeded')).toEqual({ ...points, items: 7, bytes: 70, held: HELD });
  expect(of(false, 'succeeded')).toEqual({ ...points, items: 5, bytes: 50, held: null });
  expect(of(true, 'running')).toEqual({ ...points, items: null, bytes: null, held: null });
});
