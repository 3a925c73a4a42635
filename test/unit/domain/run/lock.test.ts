import { describe, expect, it } from 'vitest';
import { acquire, isLock, type RunLock, release, standingOf } from '#domain/run/lock.ts';
import type { UnlockedRun } from '#domain/run/run.ts';
import { lifeOf, type Orchestration, patienceOf } from '#domain/run/sign-of-life.ts';

const PATIENCE = patienceOf({ silentMs: 600_000 });
const at = (second: number) => new Date(Date.UTC(2026, 4, 1, 0, 0, second));
const wanted = (id: string): UnlockedRun => ({
  id,
  job: 'nightly',
  mode: 'full',
  trigger: 'http',
  dryRun: false,
  startedAt: at(0).toISOString(),
});

describe('the lock', () => {
  it('is held by the run that took it, and by no other', () => {
    const lock = acquire(undefined, wanted('a'), at(0));
    expect(lock).toMatchObject({ epoch: 1, cancel: false, run: { id: 'a', epoch: 1 } });
    expect(standingOf(lock, { id: 'a', epoch: 1 })).toBe('go');
    expect(standingOf(lock, { id: 'b', epoch: 1 })).toBe('superseded');
    expect(standingOf(lock, { id: 'a', epoch: 2 })).toBe('superseded');
    expect(standingOf(undefined, { id: 'a', epoch: 1 })).toBe('superseded');
  });

  it('F29: its epoch grows with every run, also when it was free in between', () => {
    const first = acquire(undefined, wanted('a'), at(0));
    const second = acquire(release(first, at(1)), wanted('b'), at(2));
    const third = acquire(second, wanted('c'), at(3));
    expect([first.epoch, second.epoch, third.epoch]).toEqual([1, 2, 3]);
    expect(standingOf(release(first, at(1)), { id: 'a', epoch: 1 })).toBe('superseded');
  });

  it('a request to cancel holds until the lock changes hands', () => {
    const lock = { ...acquire(undefined, wanted('a'), at(0)), cancel: true };
    expect(standingOf(lock, { id: 'a', epoch: 1 })).toBe('cancelled');
    expect(release(lock, at(1)).cancel).toBe(false);
    expect(acquire(lock, wanted('b'), at(1)).cancel).toBe(false);
  });

  it('keeps, whatever runs, what it knows of the job', () => {
    const left = release(acquire(undefined, wanted('a'), at(0)), at(1), { last: 'a', point: 'a' });
    expect(acquire(left, wanted('b'), at(2))).toMatchObject({ last: 'a', point: 'a' });
    expect(release(left, at(2))).toMatchObject({ last: 'a', point: 'a' });
    expect(release(left, at(2), { last: 'b' })).toMatchObject({ last: 'b', point: 'a' });
    const timed = acquire(left, wanted('b'), at(3), { what: 'backup', at: at(2), schedule: 's', ticked: false });
    const served = { backup: { at: at(2).toISOString(), run: 'b' } };
    expect(acquire(release(timed, at(4)), wanted('c'), at(5))).toMatchObject({ last: 'a', point: 'a', served });
  });

  it('of a job that never ran has its run, and nothing of an earlier one', () => {
    const run = { ...wanted('a'), epoch: 1 };
    expect(acquire(undefined, wanted('a'), at(0))).toStrictEqual({
      ...{ job: 'nightly', epoch: 1, run, since: at(0).toISOString(), cancel: false },
    });
  });
});

describe('an object in the place of the lock', () => {
  const free: RunLock = { job: 'nightly', epoch: 1, run: null, since: at(1).toISOString(), cancel: false };
  const held = { ...free, run: { ...wanted('a'), epoch: 1 } };

  it('is the lock of a job, held or free', () => {
    expect(isLock(held, 'nightly')).toBe(true);
    expect(isLock(free, 'nightly')).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'nightly'],
    ['the lock of another job', { ...free, job: 'hourly' }],
    ['a lock with an epoch that cannot be counted', { ...free, epoch: 1.5 }],
    ['a lock without an epoch', { ...free, epoch: undefined }],
    ['a lock that does not say whether a run holds it', { ...free, run: undefined }],
    ['a lock that only names its run', { ...free, run: 'a' }],
    ['a lock of a run without an ID', { ...held, run: { ...held.run, id: undefined } }],
    ['a lock that a run of another job holds', { ...held, run: { ...held.run, job: 'hourly' } }],
    ['a lock that a run of another epoch holds', { ...held, run: { ...held.run, epoch: 2 } }],
    ['a lock without a time', { ...free, since: undefined }],
    ['a lock since a time that is none', { ...free, since: 'yesterday' }],
    ['a lock that does not say whether its run is cancelled', { ...free, cancel: undefined }],
  ])('I6: %s is not the lock of the job', (_, value) => {
    expect(isLock(value, 'nightly')).toBe(false);
  });
});

/**
 * Every interleaving of a few runs that contend for one lock: each step is one request or one activity, and a run may
 * crash before any of them.
 */
describe('F30: every interleaving of runs that contend', () => {
  type Step = 'read' | 'take' | 'start' | 'work' | 'judge' | 'free-read' | 'free' | 'done' | 'refused' | 'crashed';
  interface Contender {
    step: Step;
    /** The version of the lock it has read, and what it read. */
    seen: number;
    lock: RunLock | null;
    epoch: number;
    orchestration: Orchestration;
    publishes: boolean;
  }
  interface World {
    lock: RunLock | null;
    version: number;
    runs: Contender[];
    /** A request to cancel that has been accepted for this run. */
    cancelled: number;
    canceller: { step: 'read' | 'write' | 'done'; seen: number; lock: RunLock | null };
    time: number;
  }

  const nameOf = (index: number) => `run${index}`;
  const indexOf = (run: { id: string }) => Number(run.id.slice(3));

  function explore(count: number, options: { crashes: number; cancel: boolean }) {
    const seen = new Set<string>();
    const epochs = new Map<string, number>();
    const ends = new Set<string>();
    const start: World = {
      lock: null,
      version: 0,
      runs: Array.from({ length: count }, () => ({
        step: 'read',
        seen: 0,
        lock: null,
        epoch: 0,
        orchestration: 'unknown',
        publishes: false,
      })),
      cancelled: -1,
      canceller: { step: options.cancel ? 'read' : 'done', seen: 0, lock: null },
      time: 0,
    };
    const queue: [World, number][] = [[start, options.crashes]];
    while (queue.length > 0) {
      const [world, crashes] = queue.pop()!;
      const key = JSON.stringify([world, crashes]);
      if (seen.has(key)) continue;
      seen.add(key);
      check(world);
      for (const [index, run] of world.runs.entries()) {
        if (['done', 'refused', 'crashed'].includes(run.step)) continue;
        queue.push([step(world, index), crashes]);
        if (crashes > 0) queue.push([crash(world, index), crashes - 1]);
      }
      if (world.canceller.step !== 'done') queue.push([cancel(world), crashes]);
      // A run that never started its orchestration is lost once it has been silent for long enough.
      if (world.time === 0) queue.push([{ ...structuredClone(world), time: 601 }, crashes]);
    }
    return { worlds: seen.size, ends };

    function check(world: World) {
      const going = world.runs.filter(
        (run, index) =>
          run.epoch > 0 && standingOf(world.lock ?? undefined, { id: nameOf(index), epoch: run.epoch }) === 'go',
      );
      expect(going.length).toBeLessThanOrEqual(1);
      const own = world.runs.map(({ epoch }) => epoch).filter((epoch) => epoch > 0);
      expect(new Set(own).size).toBe(own.length);
      if (world.lock?.run) expect(world.lock.epoch).toBe(world.lock.run.epoch);
      // The request to cancel is kept as long as the run it was meant for holds the lock.
      if (world.cancelled >= 0 && world.lock?.run?.id === nameOf(world.cancelled)) expect(world.lock.cancel).toBe(true);
      if (world.runs.every(({ step }) => ['done', 'refused', 'crashed'].includes(step))) {
        ends.add(world.runs.map(({ step }) => step).join(' '));
        if (world.runs.every(({ step }) => step !== 'crashed')) {
          expect(world.lock?.run).toBeNull();
          expect(world.runs.some(({ step }) => step === 'done')).toBe(true);
        }
      }
    }

    function write(world: World, version: number, lock: RunLock): boolean {
      if (world.version !== version) return false;
      expect(lock.epoch).toBeGreaterThanOrEqual(world.lock?.epoch ?? 0);
      const before = epochs.get(`${lock.epoch}/${lock.run?.id}`);
      if (lock.run) epochs.set(`${lock.epoch}/${lock.run.id}`, (before ?? 0) + 1);
      world.lock = lock;
      world.version++;
      return true;
    }

    function step(from: World, index: number): World {
      const world = structuredClone(from);
      const run = world.runs[index]!;
      const self = { id: nameOf(index), epoch: run.epoch };
      const standing = () => standingOf(world.lock ?? undefined, self);
      switch (run.step) {
        case 'read': {
          run.seen = world.version;
          run.lock = world.lock;
          const holder = world.lock?.run;
          // A run in progress gives signs of life.
          const silence = (run: Contender) => (run.orchestration === 'active' ? 0 : world.time * 1000);
          const life = ({ id }: { id: string }) => {
            const other = world.runs[indexOf({ id })]!;
            return lifeOf(other.orchestration, { silence: silence(other), hasBegun: true }, PATIENCE);
          };
          run.step = !holder || life(holder) === 'lost' ? 'take' : 'refused';
          break;
        }
        case 'take': {
          const lock = acquire(run.lock ?? undefined, wanted(nameOf(index)), at(world.time));
          if (write(world, run.seen, lock)) {
            run.epoch = lock.epoch;
            run.step = 'start';
          } else run.step = 'read';
          break;
        }
        case 'start':
          run.orchestration = 'active';
          run.step = 'work';
          break;
        case 'work':
          if (standing() === 'superseded') {
            run.orchestration = 'ended';
            run.step = 'done';
          } else run.step = 'judge';
          break;
        case 'judge':
          run.publishes = standing() !== 'superseded';
          run.step = run.publishes ? 'free-read' : 'done';
          if (!run.publishes) run.orchestration = 'ended';
          break;
        case 'free-read':
          run.seen = world.version;
          run.lock = world.lock;
          run.step = 'free';
          if (standing() === 'superseded') {
            run.step = 'done';
            run.orchestration = 'ended';
          }
          break;
        case 'free': {
          const holder = world.lock?.run?.id;
          if (write(world, run.seen, release(run.lock!, at(world.time)))) {
            expect(holder).toBe(nameOf(index));
            run.step = 'done';
            run.orchestration = 'ended';
          } else run.step = 'free-read';
          break;
        }
      }
      return world;
    }

    /** The process is gone. The service ends an orchestration that has begun; one that has not never begins. */
    function crash(from: World, index: number): World {
      const world = structuredClone(from);
      const run = world.runs[index]!;
      if (run.orchestration === 'active') run.orchestration = 'ended';
      run.step = 'crashed';
      return world;
    }

    function cancel(from: World): World {
      const world = structuredClone(from);
      const { canceller } = world;
      if (canceller.step === 'read') {
        if (!world.lock?.run) return { ...world, canceller: { ...canceller, step: 'done' } };
        canceller.seen = world.version;
        canceller.lock = world.lock;
        canceller.step = 'write';
      } else if (write(world, canceller.seen, { ...canceller.lock!, cancel: true })) {
        world.cancelled = indexOf(canceller.lock!.run!);
        canceller.step = 'done';
      } else {
        canceller.step = 'read';
      }
      return world;
    }
  }

  it('two, without crashes: one at a time, and each ends with the lock free', () => {
    const { ends } = explore(2, { crashes: 0, cancel: false });
    expect([...ends].sort()).toEqual(['done done', 'done refused', 'refused done']);
  });

  it('two, with crashes at every step and a request to cancel', () => {
    const { worlds, ends } = explore(2, { crashes: 2, cancel: true });
    expect(worlds).toBeGreaterThan(500);
    expect(ends).toContain('crashed done');
  });

  it('three, with a crash at any step', () => {
    const { worlds, ends } = explore(3, { crashes: 1, cancel: false });
    expect(worlds).toBeGreaterThan(1000);
    expect(ends).toContain('crashed done done');
  });
});
