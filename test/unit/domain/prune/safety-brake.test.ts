import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterRelease, afterRun, type BrakePolicy, stateWithout, type Trip } from '#domain/prune/safety-brake.ts';
import type { Baseline, BrakeState } from '#domain/run/brake-state.ts';

const POLICY: BrakePolicy = { percent: 50, blobs: 100, days: 30 };
const DAY = 24 * 3_600_000;
const START = Date.parse('2026-01-01T00:00:00.000Z');

/** A container, night by night: each blob has the night of its last change. Losses are counted as a run counts them. */
class Nights {
  readonly trips: (Trip & { night: number })[] = [];
  state: BrakeState;
  night = 0;
  readonly #policy: BrakePolicy;
  #blobs: Map<string, number>;

  constructor(count: number, policy: BrakePolicy = POLICY) {
    this.#policy = policy;
    this.#blobs = new Map(Array.from({ length: count }, (_, index) => [`blob-${index}`, -1]));
    this.state = stateWithout(undefined, count);
  }

  /** One night, with what happened to the blobs since the last one. */
  pass({ change = [], remove = [], add = [] }: { change?: string[]; remove?: string[]; add?: string[] } = {}): boolean {
    const previous = this.night++;
    const before = this.#blobs;
    this.#blobs = new Map(before);
    const lost = [...change, ...remove].flatMap((name) => before.get(name) ?? []);
    for (const name of [...change, ...add]) this.#blobs.set(name, this.night);
    for (const name of remove) this.#blobs.delete(name);
    const counts = this.state.baselines.map(({ at }) => lost.filter((night) => time(night) <= Date.parse(at)).length);
    const loss = { task: 'images', lost: [...counts, lost.length] };
    const measured = { run: `run-${this.night}`, now: time(this.night), previous: pointOf(previous) };
    const { state, trip } = afterRun(this.state, loss, this.#blobs.size, this.#policy, measured);
    this.state = state;
    if (trip) this.trips.push({ ...trip, night: this.night });
    return trip !== undefined;
  }

  release(): void {
    this.state = afterRelease(this.state);
  }
}

const time = (night: number) => START + night * DAY;
const pointOf = (night: number) => ({ run: `run-${night}`, at: new Date(time(night)).toISOString() });
const blobs = (from: number, to: number, name = 'blob') =>
  Array.from({ length: to - from }, (_, index) => `${name}-${from + index}`);

describe('the safety brake', () => {
  it.each<[boolean, string, Parameters<Nights['pass']>[0]]>([
    [false, 'nothing changed', {}],
    [false, 'half of it changed', { change: blobs(0, 500) }],
    [true, 'more than half of it changed', { change: blobs(0, 501) }],
    [false, 'half of it lost', { remove: blobs(0, 500) }],
    [true, 'more than half of it lost', { remove: blobs(0, 501) }],
    [true, 'both together', { change: blobs(0, 251), remove: blobs(251, 501) }],
    [true, 'blobs renamed, so that as many are there', { remove: blobs(0, 501), add: blobs(0, 501, 'new') }],
    [false, 'much added', { add: blobs(0, 8000, 'new') }],
    [true, 'much added, and much lost', { add: blobs(0, 8000, 'new'), remove: blobs(0, 501) }],
    [true, 'everything lost', { remove: blobs(0, 1000) }],
  ])('engages: %s, with %s', (expected, _, changes) => {
    expect(new Nights(1000).pass(changes)).toBe(expected);
  });

  it('ignores a container of fewer blobs than the policy names', () => {
    expect(new Nights(99).pass({ remove: blobs(0, 99) })).toBe(false);
    expect(new Nights(100).pass({ remove: blobs(0, 100) })).toBe(true);
    // 0.29 * 100 is a little less than 29.
    expect(new Nights(100, { ...POLICY, percent: 29, blobs: 1 }).pass({ change: blobs(0, 29) })).toBe(false);
  });

  it('is not diluted by blobs that are added before the attack', () => {
    const nights = new Nights(100);
    expect(nights.pass({ add: blobs(0, 10_000, 'junk') })).toBe(false);
    expect(nights.pass({ change: blobs(0, 100) })).toBe(true);
    expect(nights.trips[0]!.reason).toBe('images: 100 of 100 blobs changed or lost since run-0, more than 50%');
  });

  it('adds up an attack that changes a little less than half each night', () => {
    const nights = new Nights(1000);
    expect(nights.pass({ change: blobs(0, 490) })).toBe(false);
    expect(nights.pass({ change: blobs(490, 980) })).toBe(true);
  });

  it('adds up an attack of a few percent each night', () => {
    const nights = new Nights(1000);
    for (let night = 0; night < 20 && nights.trips.length === 0; night++) {
      nights.pass({ change: blobs(night * 50, night * 50 + 50) });
    }
    expect(nights.trips[0]!.night).toBe(11);
  });

  it('counts a blob that changes every night once', () => {
    const nights = new Nights(1000);
    for (let night = 0; night < 100; night++) nights.pass({ change: blobs(0, 400) });
    expect(nights.trips).toEqual([]);
  });

  it('engages once, until it is released', () => {
    const nights = new Nights(1000);
    for (let night = 0; night < 5; night++) nights.pass({ change: blobs(0, 1000) });
    expect(nights.trips).toHaveLength(1);
    expect(nights.state.engagedBy).toBe('run-1');
  });

  it('does not engage again for a container that turns over by design, once that is released', () => {
    const nights = new Nights(1000);
    const turnOver = (night: number) =>
      nights.pass({
        remove: blobs(0, 1000, night === 0 ? 'blob' : `log-${night}`),
        add: blobs(0, 1000, `log-${night + 1}`),
      });
    turnOver(0);
    expect(nights.trips).toHaveLength(1);
    turnOver(1);
    nights.release();
    for (let night = 2; night < 80; night++) turnOver(night);
    expect(nights.trips).toHaveLength(1);
  });

  it('accepts nothing when a single burst is released', () => {
    const nights = new Nights(1000);
    for (let night = 0; night < 5; night++) nights.pass();
    nights.pass({ change: blobs(0, 1000) });
    nights.release();
    nights.pass();
    expect(nights.pass({ change: blobs(0, 1000) })).toBe(true);
  });

  it('accepts a turnover only as long as it lasts', () => {
    const nights = new Nights(1000);
    for (let night = 0; night < 3; night++) nights.pass({ change: blobs(0, 1000) });
    nights.release();
    for (let night = 0; night < 40; night++) nights.pass();
    expect(nights.pass({ change: blobs(0, 1000) })).toBe(true);
  });

  it('counts what is lost while it is on, so that a release does not cover what came later', () => {
    const nights = new Nights(1000);
    for (let night = 0; night < 5; night++) nights.pass();
    nights.pass({ change: blobs(0, 600) });
    nights.pass({ change: blobs(0, 600) });
    nights.release();
    expect(nights.pass()).toBe(true);
  });

  it('counts from restore points of so many days only', () => {
    const nights = new Nights(1000, { ...POLICY, days: 8 });
    for (let night = 0; night < 200; night++)
      nights.pass({ change: blobs((night * 50) % 1000, ((night * 50) % 1000) + 50) });
    expect(nights.trips).toEqual([]);
    const long = new Nights(1000);
    for (let night = 0; night < 20; night++) long.pass({ change: blobs(night * 50, night * 50 + 50) });
    expect(long.trips).toHaveLength(1);
  });

  it('keeps a few baselines and a few turnovers, however many runs there are', () => {
    const nights = new Nights(1000);
    for (let night = 0; night < 300; night++) nights.pass({ change: blobs(0, 10) });
    expect(nights.state.baselines.length).toBeLessThanOrEqual(5);
    expect(nights.state.recent).toHaveLength(32);
    const oldest = Date.parse(nights.state.baselines[0]!.at);
    // All of the window is covered.
    expect(time(300) - oldest).toBeGreaterThan(30 * DAY);
  });

  it('measures the entities of a table from run to run', () => {
    const entities = (lost: number) =>
      afterRun(stateWithout(undefined, 1000), { task: 'table.orders', lost: [lost] }, 1000, POLICY, {
        ...{ run: 'run-1', now: time(1), previous: pointOf(0) },
      });
    expect(entities(501).trip!.reason).toBe(
      'table orders: 501 of 1000 entities changed or lost since run-0, more than 50%',
    );
    expect(entities(500)).toMatchObject({ state: { baselines: [], recent: [500] } });
    expect(entities(500).trip).toBeUndefined();
  });

  it('engages as soon as more than its percentage of any old restore point is lost, whatever else happens', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 100 }),
        fc.array(fc.record({ change: fc.integer({ min: 0, max: 20 }), junk: fc.integer({ min: 0, max: 300 }) }), {
          minLength: 1,
          maxLength: 20,
        }),
        (percent, plan) => {
          const nights = new Nights(200, { percent, blobs: 1, days: 30 });
          let changed = 0;
          for (const [night, { change, junk }] of plan.entries()) {
            const from = changed;
            changed = Math.min(200, changed + change);
            const tripped = nights.pass({
              change: blobs(from, changed),
              add: blobs(0, junk, `junk-${night}`),
              remove: night > 0 ? blobs(0, plan[night - 1]!.junk, `junk-${night - 1}`) : [],
            });
            const before = nights.trips.length - (tripped ? 1 : 0);
            // Junk that comes and goes may engage it early, and nothing keeps it from being engaged in time.
            if (changed * 100 > percent * 200) expect(before + (tripped ? 1 : 0)).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('what the safety brake remembers', () => {
  const NOW = time(100);
  const ago = (days: number, more: Partial<Baseline> = {}): Baseline => ({
    ...{ run: `run-${days}`, at: new Date(NOW - days * DAY).toISOString(), held: 1000, lost: 0, runs: 1 },
    ...more,
  });
  const state = (more: Partial<BrakeState> = {}): BrakeState => ({
    ...{ held: 1000, baselines: [], recent: [], accepted: 0 },
    ...more,
  });
  const next = (known: BrakeState, lost: number[], policy: Partial<BrakePolicy> = {}, task = 'images') =>
    afterRun(known, { task, lost }, 1000, { ...POLICY, ...policy }, { run: 'run', now: NOW, previous: pointOf(99) });

  it('is how much of what there was each run changed or lost, per mille, and never more than all', () => {
    const recent = (held: number, lost: number) => next(state({ held, recent: [5] }), [lost], { percent: 100 });
    expect(recent(3, 1).state.recent).toEqual([5, 333]);
    expect(recent(3, 2).state.recent).toEqual([5, 667]);
    expect(recent(3, 4).state.recent).toEqual([5, 1000]);
    // What held nothing had nothing to lose.
    expect(recent(0, 0).state.recent).toEqual([5]);
  });

  it('is restore points of so many days, and a new one when the newest is a quarter of them old', () => {
    const days = (baselines: Baseline[]) => next(state({ baselines }), [0, 0]).state.baselines.map(({ run }) => run);
    const [later, sooner] = [1 / DAY, -1 / DAY];
    expect(days([])).toEqual(['run-99']);
    expect(days([ago(30), ago(7.5)])).toEqual(['run-30', 'run-7.5']);
    // The newest of those from before covers the whole time.
    expect(days([ago(30 + later, { run: 'old' }), ago(7.5)])).toEqual(['old', 'run-7.5']);
    expect(days([ago(40), ago(30 + later, { run: 'old' }), ago(7.5)])).toEqual(['old', 'run-7.5']);
    expect(days([ago(30), ago(7.5 + later, { run: 'due' })])).toEqual(['run-30', 'due', 'run-99']);
    expect(days([ago(30), ago(7.5 + sooner, { run: 'not-due' })])).toEqual(['run-30', 'not-due']);
  });

  it('is the last five restore points if the policy had fewer days before', () => {
    const baselines = [ago(18), ago(16), ago(14), ago(12), ago(10)];
    expect(next(state({ baselines }), [0]).state.baselines.map(({ run }) => run)).toEqual([
      'run-16',
      'run-14',
      'run-12',
      'run-10',
      'run-99',
    ]);
  });

  it('is what each of them has lost by now, in as many runs', () => {
    const baselines = [ago(20, { lost: 10, runs: 7 }), ago(5, { lost: 1, runs: 2 })];
    expect(next(state({ baselines }), [30, 4, 50]).state.baselines).toEqual([
      ago(20, { lost: 40, runs: 8 }),
      ago(5, { lost: 5, runs: 3 }),
    ]);
    expect(next(state({ held: 500 }), [50]).state.baselines).toEqual([
      { ...pointOf(99), held: 500, lost: 50, runs: 1 },
    ]);
  });

  it('is no more than each of them held: what was written during its run may count, too', () => {
    const baselines = [ago(5, { held: 100, lost: 90 })];
    const { state: now, trip } = next(state({ baselines }), [20, 20], { percent: 100, blobs: 1 });
    expect(now.baselines).toEqual([ago(5, { held: 100, lost: 100, runs: 2 })]);
    expect(trip).toBeUndefined();
  });

  it('is what exceeds the turnover that an operator has accepted, as long as the turnover lasts', () => {
    const lost = (accepted: number, recent: number[], count: number) =>
      next(state({ accepted, recent, baselines: [ago(5)] }), [count, count]).state.baselines[0]!.lost;
    const each = (turnover: number) => [turnover, turnover, turnover];
    expect(lost(0, each(300), 150)).toBe(150);
    expect(lost(100, each(300), 150)).toBe(50);
    expect(lost(100, each(20), 150)).toBe(130);
    expect(lost(100, [], 150)).toBe(150);
    expect(lost(100, [300], 150)).toBe(150);
    expect(lost(100, each(300), 50)).toBe(0);
  });

  it('is nothing of before, once it is engaged, and which run engaged it', () => {
    const { state: now, trip } = next(state({ baselines: [ago(5)], recent: [1, 1, 1], accepted: 7 }), [0, 502]);
    expect(now).toEqual({ held: 1000, baselines: [], recent: [1, 1, 1, 502], accepted: 7, engagedBy: 'run' });
    expect(trip).toMatchObject({ task: 'images', lost: 501, of: 1000 });
  });

  it('is, of an operator’s release, the turnover of the middle run: of two in the middle, the lower one', () => {
    const accepted = (...recent: number[]) => afterRelease(state({ recent, engagedBy: 'run' })).accepted;
    expect([accepted(20, 10, 15), accepted(1000, 9, 20)]).toEqual([15, 20]);
    // Of a young container, a single burst is no rule: runs that are missing count as quiet.
    expect([accepted(), accepted(1000), accepted(1000, 400)]).toEqual([0, 0, 400]);
    expect(accepted(40, 10, 30, 20)).toBe(20);
    expect(afterRelease(state({ engagedBy: 'run' }))).not.toHaveProperty('engagedBy');
  });

  it('is, from a release on, what each restore point lost beyond the accepted turnover of its runs', () => {
    const baselines = [
      ago(20, { lost: 350, runs: 3 }),
      ago(15, { lost: 250, runs: 3 }),
      ago(5, { held: 15, lost: 2, runs: 1 }),
    ];
    const released = afterRelease(state({ recent: [100, 100, 100], baselines }));
    expect(released.baselines.map(({ lost }) => lost)).toEqual([50, 0, 1]);
    expect(released).toMatchObject({ accepted: 100, recent: [100, 100, 100], held: 1000 });
  });
});

describe('what the safety brake reports', () => {
  const known = (baselines: Baseline[], held = 1000): BrakeState => ({ held, baselines, recent: [], accepted: 0 });
  const policy = { percent: 50, blobs: 1, days: 30 };
  const measured = { run: 'run', now: time(10), previous: pointOf(9) };
  const reason = (task: string, state: BrakeState, lost: number[]) =>
    afterRun(state, { task, lost }, 0, policy, measured).trip!.reason;

  it('is the restore point that has lost the largest share, whatever their order', () => {
    const some = { ...pointOf(3), held: 1000, lost: 600, runs: 1 };
    const most = { ...pointOf(5), held: 100, lost: 90, runs: 1 };
    for (const baselines of [
      [some, most],
      [most, some],
    ]) {
      expect(reason('images', known(baselines), [0, 0, 0])).toBe(
        'images: 90 of 100 blobs changed or lost since run-5, more than 50%',
      );
    }
  });

  it('is one blob or one entity as such', () => {
    expect(reason('images', known([], 1), [1])).toBe('images: 1 of 1 blob changed or lost since run-9, more than 50%');
    expect(reason('table.orders', known([], 1), [1])).toBe(
      'table orders: 1 of 1 entity changed or lost since run-9, more than 50%',
    );
  });
});
