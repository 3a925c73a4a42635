import { describe, expect, it, test } from 'vitest';
import type { KnownRun } from '#domain/watch/known-run.ts';
import { newRunEnds } from '#domain/watch/run-end.ts';

const NOW = new Date('2026-03-03T12:00:00Z');
const MINUTE = 60_000;
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * MINUTE).toISOString();

const run = (mode: string, status: string, more: Partial<KnownRun> = {}): KnownRun => ({
  ...{ id: 'r', job: 'nightly', mode, status, trigger: 'http', dryRun: false },
  ...{ startedAt: ago(60), finishedAt: ago(10) },
  counts: { listed: 10, copied: 6, unchanged: 0, skipped: 1, failed: 3 },
  ...more,
});
const removing = (removed: number) => ({ counts: { listed: 10, failed: 0, removed } });

describe('the end of a run', () => {
  it.each<[string, KnownRun, string[]]>([
    ['a restore that succeeded', run('restore', 'succeeded'), ['info restored/r nightly: a restore succeeded']],
    [
      'a restore with failures',
      run('restore', 'completed-with-failures'),
      ['warning restored/r nightly: 3 of 10 failed in a restore'],
    ],
    [
      'a restore of which a container failed as a whole',
      run('restore', 'completed-with-failures', { counts: { listed: 10, failed: 0 } }),
      ['warning restored/r nightly: a restore is incomplete'],
    ],
    ['a restore that failed', run('restore', 'failed'), ['error restored/r nightly: a restore failed']],
    [
      'a restore that was cancelled',
      run('restore', 'cancelled'),
      ['info cancelled/r nightly: a restore was cancelled'],
    ],
    ['a restore in progress', run('restore', 'running'), []],
    ['the dry run of a restore', run('restore', 'succeeded', { dryRun: true }), []],
    ['a start that was not made', run('restore', 'not-started'), []],
    [
      'a prune that deleted',
      run('prune', 'succeeded', removing(7)),
      ['info pruned/r nightly: a prune deleted 7 objects'],
    ],
    ['a prune of one', run('prune', 'succeeded', removing(1)), ['info pruned/r nightly: a prune deleted 1 object']],
    [
      'a prune that failed later',
      run('prune', 'failed', removing(2)),
      ['info pruned/r nightly: a prune deleted 2 objects'],
    ],
    [
      'a prune that could not delete all',
      run('prune', 'completed-with-failures', removing(2)),
      ['info pruned/r nightly: a prune deleted 2 objects'],
    ],
    ['what no prune has removed', run('full', 'succeeded', removing(7)), []],
    ['a prune that is in progress', run('prune', 'running', removing(7)), []],
    ['a prune that deleted nothing', run('prune', 'succeeded', removing(0)), []],
    ['the plan of a prune', run('prune', 'succeeded', { ...removing(7), dryRun: true }), []],
    ['a backup', run('incremental', 'failed'), []],
    ['a cancelled backup', run('full', 'cancelled'), ['info cancelled/r nightly: a backup was cancelled']],
    ['a cancelled drill', run('verify', 'cancelled'), ['info cancelled/r nightly: a verification was cancelled']],
    [
      'a cancelled reprocess',
      run('reprocess', 'cancelled'),
      ['info cancelled/r nightly: a reprocess run was cancelled'],
    ],
    ['a cancelled dry run', run('full', 'cancelled', { dryRun: true }), []],
  ])('%s', (_, row, expected) => {
    const { ends } = newRunEnds(undefined, [row], NOW);
    expect(ends.map(({ severity, id, title }) => `${severity} ${id} ${title}`)).toEqual(expected);
  });

  it('says how it ended, and what to do', () => {
    const problem = { code: 'access-denied-destination', container: 'images', count: 0 };
    const { ends } = newRunEnds(undefined, [run('restore', 'failed', { problem })], NOW);
    expect(ends[0]).toMatchObject({ job: 'nightly', run: 'r', since: ago(10) });
    expect(ends[0]!.message).toContain('listed 10, copied 6, unchanged 0, skipped 1, failed 3. images: ');
    expect(ends[0]!.hint).toMatch(/. See GET \/api\/runs\/r\.$/);
  });

  it('of a prune says how many it deleted', () => {
    const { ends } = newRunEnds(undefined, [run('prune', 'succeeded', removing(7))], NOW);
    expect(ends[0]!.message).toBe(`Run r ended at ${ago(10)}: deleted 7, failed 0.`);
  });

  it('names the run in what to do', () => {
    const problem = { code: 'brake-engaged', count: 0 };
    const { ends } = newRunEnds(undefined, [run('restore', 'failed', { problem })], NOW);
    expect(ends[0]!.hint).toContain('/api/restore-points/r');
    expect(ends[0]!.hint).not.toContain('{id}');
  });

  it.each(['succeeded', 'cancelled'])('with the status %s has nothing to do', (status) => {
    const problem = { code: 'access-denied-destination', container: 'images', count: 0 };
    const { ends } = newRunEnds(undefined, [run('restore', status, { problem })], NOW);
    expect(ends[0]!.hint).toBe('See GET /api/runs/r.');
    expect(ends[0]!.message).toMatch(/failed 3\.$/);
  });

  it('is known once its row says when', () => {
    const { finishedAt: _, ...row } = run('restore', 'succeeded');
    expect(newRunEnds(undefined, [row], NOW).ends).toEqual([]);
  });

  it('with a problem of a later version is reported without it', () => {
    const row = run('restore', 'failed', { problem: { code: 'from-the-future', count: 1 } });
    expect(newRunEnds(undefined, [row], NOW).ends[0]!.hint).toBe('See GET /api/runs/r.');
  });
});

test('an end is new once, whatever is read again', () => {
  const row = run('restore', 'succeeded');
  const first = newRunEnds(undefined, [row, row], NOW);
  expect(first.ends).toHaveLength(1);
  expect(newRunEnds(first.reported, [row], NOW)).toEqual({ ends: [], reported: first.reported });
});

test('ends come in the order in which the runs ended', () => {
  const rows = [5, 50, 20].map((minutes) =>
    run('restore', 'succeeded', { id: `r${minutes}`, finishedAt: ago(minutes) }),
  );
  expect(newRunEnds(undefined, rows, NOW).ends.map(({ run: id }) => id)).toEqual(['r50', 'r20', 'r5']);
});

test('a run that is found long after it ended is still new', () => {
  const { reported } = newRunEnds(undefined, [], new Date(NOW.getTime() - 100_000 * MINUTE));
  const late = run('restore', 'succeeded', { finishedAt: ago(80_000) });
  expect(newRunEnds(reported, [late], NOW).ends).toHaveLength(1);
});

test('a watch that begins reports no runs from before the last day', () => {
  const old = run('restore', 'succeeded', { id: 'old', finishedAt: ago(24 * 60 + 1) });
  const { ends, reported } = newRunEnds(undefined, [old, run('restore', 'succeeded')], NOW);
  expect(ends.map(({ run: id }) => id)).toEqual(['r']);
  expect(newRunEnds(reported, [old], NOW).ends).toEqual([]);
});

test('the memory stays small, and reports nothing again', () => {
  const rows = Array.from({ length: 1_000 }, (_, index) =>
    run('restore', 'succeeded', { id: `r${index}`, finishedAt: ago(1_400 - index) }),
  );
  const half = newRunEnds(undefined, rows.slice(0, 500).toReversed(), NOW);
  const { ends, reported } = newRunEnds(half.reported, rows.toReversed(), NOW);
  expect([half.ends.length, ends.length]).toEqual([500, 500]);
  expect(Object.keys(reported.runs).sort()).toEqual(Array.from({ length: 300 }, (_, index) => `r${index + 700}`));
  // One that ended beside those in memory is found later.
  const beside = run('restore', 'succeeded', { id: 'beside', finishedAt: ago(402.5) });
  expect(newRunEnds(reported, [beside], NOW).ends).toHaveLength(1);
  expect(newRunEnds(reported, rows, NOW).ends).toEqual([]);
  const next = run('restore', 'succeeded', { id: 'next', finishedAt: ago(1) });
  expect(newRunEnds(reported, [...rows, next], NOW).ends).toHaveLength(1);
});

test('a memory from before the clock was set back hides no later ends', () => {
  const ahead = { until: new Date(NOW.getTime() + 60 * MINUTE).toISOString(), runs: {} };
  expect(newRunEnds(ahead, [run('restore', 'succeeded')], NOW).ends).toHaveLength(1);
  expect(newRunEnds(ahead, [], NOW).reported).toEqual({ until: ago(24 * 60), runs: {} });
});
