import { describe, expect, it, test } from 'vitest';
import { heldByPlan } from '#domain/run/held-by-plan.ts';
import { NO_CONTENT, sumOfHeld, withObject } from '#domain/run/held-content.ts';
import { withHash } from '#domain/run/prune-plan.ts';
import type { ContainerReport, RunReport } from '#domain/run/run.ts';

test('objects are counted as blobs or as kept of earlier ones', () => {
  const held = withObject(withObject(withObject(NO_CONTENT, 5, false), 7, true), 0, true);
  expect(held).toEqual({ blobs: 1, kept: 2, bytes: 12 });
  expect(sumOfHeld([held, held])).toEqual({ blobs: 2, kept: 4, bytes: 24 });
  expect(sumOfHeld([held, undefined])).toBeUndefined();
  expect(sumOfHeld([])).toEqual(NO_CONTENT);
});

const PLAN = withHash({
  ...{ job: 'nightly', at: '2026-05-20T12:00:00.000Z', before: '', source: 'x', marginMs: 0 },
  ...{ decisions: [], remove: [], expired: [], reading: [], keeps: [], braked: [] },
});
const container = (held?: ContainerReport['held']) => ({ ...(held && { held }) }) as ContainerReport;
const WHOLE = {
  ...{ mode: 'prune' as const, dryRun: true, status: 'succeeded' as const, plan: PLAN },
  containers: [container({ blobs: 1, kept: 2, bytes: 3 }), container({ blobs: 10, kept: 20, bytes: 30 })],
};

test('a plan knows what its job holds', () => {
  expect(heldByPlan(WHOLE)).toEqual({ blobs: 11, kept: 22, bytes: 33 });
});

describe('a plan says nothing of what it does not know', () => {
  it.each<[string, Partial<RunReport>]>([
    ['if it is still being made', { status: 'running' }],
    ['if a task failed', { status: 'completed-with-failures' }],
    ['if a task was not counted', { containers: [...WHOLE.containers, container()] }],
    ['if a safety brake kept it from a container', { plan: { ...PLAN, braked: ['databackup'] } }],
    ['if it was carried out: something is gone by now', { dryRun: false }],
    ['if it is no plan', { mode: 'verify' }],
  ])('%s', (_why, other) => {
    expect(heldByPlan({ ...WHOLE, ...other })).toBeUndefined();
  });
});
