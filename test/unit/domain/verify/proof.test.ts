import { expect, it } from 'vitest';
import type { RunSummary } from '#domain/run/run.ts';
import type { VerifyTask } from '#domain/run/tasks.ts';
import { proofOf } from '#domain/verify/proof.ts';

const task: VerifyTask = { point: 'nightly-20260501T000000Z-pppppp', kind: 'deep', portion: '5%', turn: 0, sample: 20 };
const part = (key: string, unchanged: number, failed: number, skipped = 0, container = 'data') => ({
  path: `jobs/nightly/runs/nightly-20260502T000000Z-vvvvvv/manifest/${container}/${key}.ndjson.gz`,
  container,
  unchanged,
  failed,
  skipped,
});
const summary = (more: object = {}) =>
  ({
    id: 'nightly-20260502T000000Z-vvvvvv',
    status: 'succeeded',
    startedAt: '2026-05-02T00:00:00.000Z',
    finishedAt: '2026-05-02T00:01:00.000Z',
    counts: { listed: 100, copied: 0, unchanged: 97, skipped: 3, failed: 0 },
    containers: [{ container: 'data', status: 'succeeded' }],
    parts: [part('000000-slice', 90, 0), part('000000-chunk-00-000000', 7, 0, 3)],
    ...more,
  }) as unknown as RunSummary;

it('counts the items that were checked, and those that were read and compared', () => {
  expect(proofOf(summary(), task)).toEqual({
    run: 'nightly-20260502T000000Z-vvvvvv',
    at: '2026-05-02T00:01:00.000Z',
    kind: 'deep',
    portion: '5%',
    items: 100,
    read: 7,
    failed: 0,
  });
  // Every file of a table is read, whatever is compared with the source.
  const both = [part('000000-slice', 90, 0), part('000000-slice', 41, 1, 0, 'table.orders')];
  expect(proofOf(summary({ parts: both }), task)).toMatchObject({ read: 42 });
  const scan = [part('000000-slice', 100, 0)];
  expect(proofOf(summary({ parts: scan }), { ...task, kind: 'quick' })).not.toHaveProperty('portion');
});

it('a quick one names no portion, and one without an end on record is of its start', () => {
  const quick = proofOf(summary({ finishedAt: null }), { ...task, kind: 'quick' });
  expect(quick).toMatchObject({ kind: 'quick', at: '2026-05-02T00:00:00.000Z' });
  expect(quick).not.toHaveProperty('portion');
});

it('what is wrong is what failed and what could not be looked at', () => {
  const counts = { listed: 100, copied: 0, unchanged: 97, skipped: 0, failed: 3 };
  const containers = [{ status: 'completed-with-failures' }, { status: 'failed' }, { status: 'failed' }];
  expect(proofOf(summary({ status: 'completed-with-failures', counts, containers }), task)).toMatchObject({
    failed: 5,
  });
  // What was read and differs was read.
  expect(proofOf(summary({ counts, parts: [part('000000-chunk-00-000000', 4, 3)] }), task)).toMatchObject({ read: 7 });
});

it('a container that could not be looked at is something wrong', () => {
  const containers = [{ status: 'succeeded' }, { status: 'failed' }];
  expect(proofOf(summary({ status: 'completed-with-failures', containers }), task)).toMatchObject({ failed: 1 });
});

it.each(['failed', 'cancelled', 'running'])('one that %s proves nothing', (status) => {
  expect(proofOf(summary({ status }), task)).toBeUndefined();
});
