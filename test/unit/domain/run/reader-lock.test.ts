import { expect, test } from 'vitest';
import { acquire, isLock, release, standingOf } from '#domain/run/lock.ts';
import { isReader, lockPathOf } from '#domain/run/lock-place.ts';
import { readBy, readerLock, takesTurn, type UnlockedReader, withNextTurn } from '#domain/run/reader-lock.ts';
import { announced, forGood, withdrawn } from '#domain/run/removal.ts';
import type { RunMode } from '#domain/run/run.ts';

const now = new Date('2026-05-01T00:00:00.000Z');
const READER = {
  ...{ id: 'v', job: 'nightly', mode: 'verify', trigger: 'http', dryRun: false, startedAt: now.toISOString() },
  verify: { point: 'p', kind: 'deep', portion: '1/7', turn: 0, sample: 0 },
} as UnlockedReader;

test('runs that only read have a lock of their own, and the others share that of their job', () => {
  const modes: RunMode[] = ['full', 'incremental', 'retry', 'prune', 'reconcile', 'reprocess', 'restore', 'verify'];
  const places = modes.map((mode) => lockPathOf({ id: 'r', job: 'nightly', mode }));
  expect(new Set(places.slice(0, 6))).toEqual(new Set(['locks/nightly.json']));
  expect(new Set(places.slice(6))).toEqual(new Set(['jobs/nightly/readers/r.json']));
  expect(modes.filter(isReader)).toEqual(['restore', 'verify']);
});

test('a reader may continue until its lock is released', () => {
  const lock = readerLock(READER, now, 3);
  expect(isLock(lock, 'nightly')).toBe(true);
  expect(lock.run).toMatchObject({ verify: { turn: 3 } });
  expect(standingOf(lock, lock.run)).toBe('go');
  expect(standingOf({ ...lock, cancel: true }, lock.run)).toBe('cancelled');
  expect(standingOf(release(lock, now), lock.run)).toBe('superseded');
});

test('each deep verification gets the next portion, whichever run holds the lock of the job', () => {
  const backup = { ...READER, mode: 'full' } as unknown as Parameters<typeof acquire>[1];
  const first = withNextTurn(undefined, 'nightly', now);
  const held = acquire(first, backup, now);
  const second = withNextTurn(held, 'nightly', now);
  expect([first.turn, second.turn]).toEqual([1, 2]);
  expect(isLock(first, 'nightly') && isLock(second, 'nightly')).toBe(true);
  expect(second).toEqual({ ...held, turn: 2 });
  expect(release(second, now).turn).toBe(2);
  const kinds = ['deep', 'quick', 'drill'] as const;
  const taking = kinds.filter((kind) =>
    takesTurn({ ...READER, verify: { ...(READER as { verify: object }).verify, kind } } as UnlockedReader),
  );
  expect(taking).toEqual(['deep']);
});

test('prunes keep the restore point of a reader, or the file that it restores', () => {
  expect(readBy(READER)).toEqual({ point: 'p' });
  const restore = (task: object) => readBy({ ...READER, mode: 'restore', restore: task } as unknown as UnlockedReader);
  expect(restore({ point: 'q' })).toEqual({ point: 'q' });
  expect(restore({ point: '', file: { name: 'jobs/f' } })).toEqual({ file: 'jobs/f' });
});

test('I5: a removal is for good once one execution has found no reader, whatever the others find', () => {
  const mark = { at: 'a', run: 'r' };
  const one = announced(mark, 'one', 't');
  const both = announced(one, 'two', 'u');
  expect(both).toEqual({ ...mark, emptied: 't', by: ['one', 'two'] });
  expect(withdrawn(one, 'one')).toEqual(mark);
  expect(withdrawn(both, 'two')).toEqual(one);
  expect(withdrawn(withdrawn(both, 'two'), 'one')).toEqual(mark);
  const done = forGood(both);
  expect(done).toEqual({ ...mark, emptied: 't' });
  expect(withdrawn(done, 'two')).toEqual(done);
  expect(announced(done, 'three', 'v')).toEqual(done);
});
