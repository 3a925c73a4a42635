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
      small: state(50, { baselines: [baseline('a', 1), baseline('b', 2)], smallAt: [AT] }),
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

  it('I10: counts a container that has grown towards the small ones that it was one of', () => {
    const policy = { ...POLICY, blobs: 100 };
    const first = { a: state(90), b: state(90), '*': state(180) };
    const grown = measured(
      {
        parts: [part('a', 210), part('b', 90)],
        compared: [compared('a', { lost: [0] }), compared('b', { lost: [0] })],
      },
      first,
      policy,
    );
    expect(grown.states.a!.smallAt).toEqual(grown.states['*']!.baselines.map(({ at }) => at));
    const encrypted = measured(
      {
        parts: [part('a', 210), part('b', 90)],
        compared: [compared('a', { lost: [90, 90, 90] }), compared('b', { lost: [40, 40, 40] })],
      },
      grown.states,
      policy,
    );
    expect(encrypted.trips).toMatchObject([{ task: '*', lost: 130, of: 180 }]);
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

  it('I10: takes deleted entities for lost, also where new ones make up for them', () => {
    // The run could not tell everywhere what is new, or could not read everything.
    for (const failed of [0, 1]) {
      const counts = { copied: 900, deleted: 550, failed };
      const parts = [part('table.orders', 900, failed)];
      const found = measured({ parts, containers: [table(counts)] }, { 'table.orders': state(1000) });
      expect(found.trips).toMatchObject([{ lost: 550, of: 1000 }]);
    }
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

describe('what a restore point holds, for the safety brake', () => {
  const TABLE = 'table.orders';
  const held = (more: Partial<RunSummary>, before: Record<string, BrakeState> = {}, policy = POLICY) =>
    Object.fromEntries(
      Object.entries(measured(more, before, policy).states).map(([task, { held: count }]) => [task, count]),
    );

  it.each<[string, Partial<RunSummary>, number | undefined]>([
    ['what was copied and what was unchanged', { parts: [{ ...part('data', 2), unchanged: 3 }, part('data', 4)] }, 9],
    ['what is owed beside it', { parts: [part('data', 2)], compared: [compared('data', { failed: 8 })] }, 10],
    ['nothing that failed and was never held', { parts: [part('data', 2, 5)] }, 2],
    ['nothing that is skipped, deleted or not selected', { compared: [compared('data', { skipped: 9 })] }, undefined],
  ])('of a container is %s', (_what, run, count) => {
    expect(held(run).data).toBe(count);
  });

  it('of a container is no more than it has and owes, whatever failed and whatever it held before', () => {
    expect(held({ parts: [part('data', 2, 5)] }, { data: state(100) }).data).toBe(2);
  });

  it.each<[string, Partial<RunSummary>, number | undefined]>([
    ['what was copied and what was unchanged', { parts: [{ ...part(TABLE, 2), unchanged: 3 }] }, 5],
    ['what it was before if a key range failed', { parts: [part(TABLE, 2, 1), part(TABLE, 5)] }, 100],
    ['what is there if that is more, though a key range failed', { parts: [part(TABLE, 200, 1), part(TABLE, 5)] }, 205],
    ['what it was before if the table failed', { compared: [compared(TABLE, { failed: 1 })] }, 100],
    ['nothing if the table is gone', { compared: [compared(TABLE, { deleted: 1, lost: [100] })] }, 0],
  ])('of a table is %s', (_what, run, count) => {
    expect(held(run, { [TABLE]: state(100) })[TABLE]).toBe(count);
  });

  it('of a table that fails in its first run is nothing', () => {
    const failed = { parts: [part(TABLE, 0, 1)], compared: [compared('table.other', { failed: 1 })] };
    expect(held(failed)).toEqual({});
  });

  it('of all small containers is what they hold together, without tables and without large containers', () => {
    const policy = { ...POLICY, blobs: 10 };
    const parts = [part('a', 9), part('b', 3), part('large', 10), part(TABLE, 5)];
    expect(held({ parts }, {}, policy)).toEqual({ a: 9, b: 3, large: 10, [TABLE]: 5, '*': 12 });
    expect(held({ parts: [part('large', 10), part('empty', 0)] }, {}, policy)).toEqual({ large: 10 });
  });

  it('is forgotten when it is gone for good, and not while something is measured from it', () => {
    const baselines = [{ run: 'a', at: AT, held: 50, lost: 50, runs: 1 }];
    const before = {
      ...{ gone: state(0, { recent: [1000] }), braked: state(0, { engagedBy: 'earlier' }) },
      measured: state(0, { baselines }),
    };
    expect(Object.keys(measured({}, before).states)).toEqual(['braked', 'measured']);
  });
});

describe('what a run has lost, for the safety brake', () => {
  const TABLE = 'table.orders';
  const SMALL = { ...POLICY, percent: 100, blobs: 100 };
  const NEVER = { ...POLICY, percent: 100 };
  const recent = (more: Partial<RunSummary>, before: Record<string, BrakeState>, policy = NEVER) =>
    Object.fromEntries(
      Object.entries(measured(more, before, policy).states).map(([task, each]) => [task, each.recent]),
    );

  it('adds up over the parts of a container', () => {
    const parts = [compared('data', { lost: [1] }), compared('data', { lost: [2] })];
    expect(recent({ compared: parts, parts: [part('data', 10)] }, { data: state(10) })).toEqual({ data: [300] });
  });

  it('counts among small containers what was small before the run, large as it may be now', () => {
    const before = { small: state(10), large: state(100), '*': state(20) };
    const run = {
      parts: [part('small', 200), part('large', 1)],
      compared: [compared('small', { lost: [2] }), compared('large', { lost: [50] })],
    };
    expect(recent(run, before, SMALL)).toEqual({ small: [200], large: [500], '*': [100] });
  });

  it('is not known of a container or a table without a restore point before', () => {
    const more = { parts: [part('data', 10)], compared: [compared('data', { lost: [5] })] };
    expect(statesAfter(run('now', more), undefined, new Map([['data', state(10)]]), NEVER).states.data!.recent).toEqual(
      [],
    );
    expect(recent(more, {})).toEqual({ data: [] });
    const first = { containers: [table({ copied: 10, changed: 5 })], parts: [part(TABLE, 10)] };
    expect(recent(first, {})).toEqual({ [TABLE]: [] });
  });

  it.each<[string, ContainerReport, number]>([
    ['what has changed', table({ copied: 5, unchanged: 95, changed: 7 }), 70],
    ['what is no longer there, whatever was added', table({ copied: 30, unchanged: 50, added: 10 }), 300],
    ['nothing if it has grown by more than is known', table({ copied: 300, unchanged: 50 }), 0],
    ['only what has changed if a key range failed', table({ copied: 30, changed: 7, failed: 1 }), 70],
    ['only what has changed if the table failed', table({ copied: 30, changed: 7 }, { status: 'failed' }), 70],
  ])('of a table is %s', (_what, report, lost) => {
    const run = { containers: [report], parts: [part(TABLE, 100)] };
    expect(recent(run, { [TABLE]: state(100) })).toEqual({ [TABLE]: [lost] });
  });

  it('is measured by the comparison alone if the table is gone, and in a container', () => {
    const containers = [table({ changed: 50 }, { gone: true }), table({ changed: 50 }, { container: 'data' })];
    const run = { containers, parts: [part('data', 100), part(TABLE, 100)] };
    expect(recent(run, { [TABLE]: state(100), data: state(100) })).toEqual({ [TABLE]: [], data: [] });
  });

  it('counts from the end of the run before to the end of the run, or from their starts if no end is on record', () => {
    const [start, end] = ['2026-05-02T00:00:00.000Z', '2026-05-02T01:00:00.000Z'];
    const since = (previous: string | null, now: string | null) => {
      const baselines = [{ run: 'a', at: '2026-04-02T00:30:00.000Z', held: 10, lost: 0, runs: 1 }];
      const { states } = statesAfter(
        run('now', { startedAt: start, finishedAt: now, ...counted } as Partial<RunSummary>),
        run('before', { startedAt: start, finishedAt: previous } as Partial<RunSummary>),
        new Map([['data', state(10, { baselines })]]),
        NEVER,
      );
      return states.data!.baselines.map(({ at }) => at);
    };
    const counted = { parts: [part('data', 10)], compared: [compared('data', { lost: [0, 0] })] };
    // At the end of the run, the baseline is older than 30 days; at its start, it was not.
    expect(since(end, null)).toEqual(['2026-04-02T00:30:00.000Z', end]);
    expect(since(end, end)).toEqual(['2026-04-02T00:30:00.000Z', end]);
    expect(since(null, end)).toEqual(['2026-04-02T00:30:00.000Z', start]);
  });
});
