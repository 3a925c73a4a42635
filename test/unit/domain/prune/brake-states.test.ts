import { describe, expect, it } from 'vitest';
import { statesAfter } from '#domain/prune/brake-states.ts';
import type { BrakeState } from '#domain/run/brake-state.ts';
import type { ComparedPart } from '#domain/run/comparison.ts';
import type { ContainerReport, PartEntry, RunSummary } from '#domain/run/run.ts';

const POLICY = { percent: 50, blobs: 1, days: 30 };
const AT = '2026-05-01T00:00:00.000Z';

const state = (held: number, more: Partial<BrakeState> = {}): BrakeState => ({
  ...{ held, baselines: [], recent: [], accepted: 0 },
  ...more,
});

const part = (container: string, copied: number, failed = 0): PartEntry => ({
  ...{ path: `${container}/part`, container, destination: `${container}backup`, sha256: '' },
  ...{ copied, unchanged: 0, skipped: 0, failed },
});

const compared = (container: string, counts: Partial<ComparedPart>): ComparedPart => ({
  ...{ path: `${container}/compared`, container, destination: `${container}backup`, sha256: '', last: true },
  ...{ changed: 0, deleted: 0, skipped: 0, failed: 0, notSelected: 0, lost: [0] },
  ...counts,
});

const table = (counts: Partial<ContainerReport['counts']>, more: Partial<ContainerReport> = {}): ContainerReport =>
  ({
    ...{ container: 'table.orders', status: 'succeeded' },
    counts: { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0, ...counts },
    ...more,
  }) as ContainerReport;

const run = (id: string, more: Partial<RunSummary>) =>
  ({ id, startedAt: AT, finishedAt: AT, containers: [], parts: [], compared: [], ...more }) as unknown as RunSummary;

const PREVIOUS = run('before', {});
const measured = (more: Partial<RunSummary>, before: Record<string, BrakeState>, policy = POLICY) =>
  statesAfter(run('now', more), PREVIOUS, new Map(Object.entries(before)), policy);

describe('the safety brake of each container and table', () => {
  it('begins with what the first restore point holds', () => {
    const parts = [part('data', 7), part('data', 3), part('table.Orders', 20)];
    expect(statesAfter(run('now', { parts }), undefined, new Map(), POLICY)).toEqual({
      states: { data: state(10), 'table.orders': state(20) },
      trips: [],
    });
  });

  it('counts what is owed as held, and not as lost', () => {
    const found = measured(
      { parts: [part('data', 2)], compared: [compared('data', { failed: 8 })] },
      { data: state(10) },
    );
    expect(found).toMatchObject({ states: { data: { held: 10, recent: [0] } }, trips: [] });
  });

  it('counts everything of a container that is gone', () => {
    const found = measured({ compared: [compared('data', { deleted: 10, lost: [10] })] }, { data: state(10) });
    expect(found.trips).toMatchObject([{ task: 'data', lost: 10, of: 10 }]);
    expect(found.states.data).toMatchObject({ held: 0, engagedBy: 'now' });
  });

  it('takes all containers that are too small on their own together', () => {
    const policy = { ...POLICY, blobs: 100 };
    const names = Array.from({ length: 10 }, (_, index) => `tenant-${index}`);
    const parts = [...names.map((name) => part(name, 50)), part('large', 1000)];
    const first = statesAfter(run('before', { parts }), undefined, new Map(), policy);
    expect(first.states['*']).toEqual(state(500));
    const attacked = [...names.slice(0, 6), 'large'].map((name) => compared(name, { changed: 50, lost: [50] }));
    const quiet = names.slice(6).map((name) => compared(name, {}));
    const before = new Map(Object.entries(first.states));
    const { states, trips } = statesAfter(
      run('now', { parts, compared: [...attacked, ...quiet] }),
      PREVIOUS,
      before,
      policy,
    );
    expect(trips).toMatchObject([{ task: '*', lost: 300, of: 500 }]);
    expect(trips[0]!.reason).toMatch(/^all small containers: 300 of 500 blobs changed or lost since before/);
    expect(states['*']!.engagedBy).toBe('now');
    expect(states.large!.engagedBy).toBeUndefined();
  });

  it('keeps apart what a container and all small ones have lost since their own baselines', () => {
    const baseline = (run: string, lost: number) => ({ run, at: AT, held: 50, lost, runs: 1 });
    const before = {
      small: state(50, { baselines: [baseline('a', 1), baseline('b', 2)] }),
      '*': state(50, { baselines: [baseline('c', 3)] }),
    };
    const found = measured(
      { parts: [part('small', 50)], compared: [compared('small', { lost: [10, 11, 12, 13] })] },
      before,
      {
        ...POLICY,
        blobs: 100,
      },
    );
    expect(found.states.small!.baselines.map(({ lost }) => lost)).toEqual([11, 13]);
    expect(found.states['*']!.baselines.map(({ lost }) => lost)).toEqual([15]);
    expect(found.states['*']!.recent).toEqual([260]);
  });

  it('leaves a container as it is that a retry has not worked on', () => {
    const known = state(10, { recent: [1, 2], engagedBy: 'earlier' });
    expect(measured({ parts: [part('data', 10)] }, { data: known }).states).toEqual({ data: known });
  });

  it('takes the changed entities of a table together with those that are gone', () => {
    const counts = { copied: 200, unchanged: 400, added: 100, changed: 100 };
    const found = measured(
      { parts: [part('table.orders', 600)], containers: [table(counts)] },
      { 'table.orders': state(1000) },
    );
    expect(found.trips).toMatchObject([{ lost: 600, of: 1000 }]);
  });

  it('takes no table for lost that was read in part, and still counts what it lacks as held', () => {
    const parts = [part('table.orders', 10, 1)];
    const containers = [table({ copied: 10, changed: 3, failed: 1 })];
    expect(measured({ parts, containers }, { 'table.orders': state(1000) })).toMatchObject({
      states: { 'table.orders': { held: 1000, recent: [3] } },
      trips: [],
    });
  });

  it('takes no table for lost that could not be read, and counts all of it when it is dropped', () => {
    const failed = measured({ compared: [compared('table.orders', { failed: 1 })] }, { 'table.orders': state(1000) });
    expect(failed).toMatchObject({ states: { 'table.orders': { held: 1000 } }, trips: [] });
    const dropped = measured(
      { compared: [compared('table.ORDERS', { deleted: 1, lost: [1000] })], containers: [table({}, { gone: true })] },
      { 'table.orders': state(1000) },
    );
    expect(dropped.trips).toMatchObject([{ lost: 1000, of: 1000 }]);
  });
});
