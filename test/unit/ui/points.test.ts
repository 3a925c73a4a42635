import { describe, expect, it } from 'vitest';
import { reason } from '#api/reason.ts';
import { actionsOf, byWords, reasonProblem } from '../../../ui/model/notes.ts';
import {
  type ApiPoint,
  beforeBrake,
  contentWords,
  lackWords,
  marksOf,
  proofBrief,
  proofState,
  proofWords,
  wholenessOf,
} from '../../../ui/model/points.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

const LACKS = { skipped: 0, failed: 0, containers: [], tables: [] };
const point: ApiPoint = {
  ...{ id: 'nightly-29', job: 'nightly', mode: 'full', status: 'succeeded', time: '', finishedAt: null },
  ...{ containers: 1, blobs: 5018, tables: 0, entities: 0, bytes: 1, lacks: LACKS },
  ...{ hold: null, brake: null, verified: null, verifications: [] },
};
const problem = { code: 'damaged', message: '', hint: '' };
const brake = { reason: 'images: 812 of 900', containers: ['images'] };
const removed = { at: '', run: '' };

describe('a restore point', () => {
  it.each([
    [LACKS, ''],
    [{ ...LACKS, failed: 14 }, '14 that failed'],
    [
      { ...LACKS, failed: 1, skipped: 1, containers: ['tenant-7'] },
      '1 that failed, 1 that was skipped and the container tenant-7',
    ],
    [{ ...LACKS, containers: ['a', 'b', 'c', 'd'], tables: ['x', 'y'] }, '4 containers and the tables x and y'],
  ])('lacks %j: %s', (lacks, words) => expect(lackWords(lacks)).toBe(words));

  it('is whole, or lacks something, or is damaged', () => {
    expect(wholenessOf(point)).toBe('whole');
    expect(wholenessOf({ ...point, lacks: { ...LACKS, skipped: 1 } })).toBe('lacks');
    expect(wholenessOf({ ...point, problem })).toBe('damaged');
    expect(wholenessOf({ ...point, lacks: null })).toBe('damaged');
  });

  it.each<[Partial<ApiPoint>, string[], string[]]>([
    [{}, [], ['hold']],
    [{ hold: { at: '', reason: 'audit' } }, ['held'], ['unhold']],
    [{ brake }, ['brake'], ['hold', 'release']],
    [{ brake: { ...brake, released: '2026' } }, [], ['hold']],
    [{ removed }, ['marked'], ['unmark']],
    [{ removed: { ...removed, emptied: '2026' } }, ['emptied'], []],
  ])('%j is marked with %j, and can be changed by %j', (part, marks, actions) => {
    expect(marksOf({ ...point, ...part })).toEqual(marks);
    expect(actionsOf({ ...point, ...part })).toEqual(actions);
  });

  it.each([
    [5018, 0, '5,018 blobs'],
    [0, 0, '0 blobs'],
    [0, 12, '12 entities'],
    [1, 1, '1 blob and 1 entity'],
    [null, null, 'not known'],
  ])('holds %s blobs and %s entities: %s', (blobs, entities, words) =>
    expect(contentWords({ blobs, entities })).toBe(words),
  );
});

describe('a verification', () => {
  const deep = {
    ...{ run: '', at: '', kind: 'deep' as const, portion: '5%' },
    ...{ items: 5018, read: 251, failed: 0 },
  };

  it('is never shown as more than it was', () => {
    expect(proofState(deep)).toBe('sound');
    expect(proofState({ ...deep, kind: 'quick' })).toBe('listed');
    expect(proofState({ ...deep, failed: 1 })).toBe('damaged');
    expect(proofWords(deep)).toBe('deep 5%: 251 of 5,018 read and compared, nothing wrong');
    expect(proofWords({ ...deep, kind: 'drill', read: 20, failed: 2 })).toContain('2 not as backed up');
    expect(proofBrief({ ...deep, failed: 2 })).toBe('deep 5%: 2 wrong');
  });
});

describe('a safety brake', () => {
  const points = [
    { ...point, id: '5' },
    { ...point, id: '4', brake },
    { ...point, id: '3', problem },
    { ...point, id: '2' },
    { ...point, id: 'other', job: 'tables' },
  ];

  it('names the last restore point before it', () => {
    expect(beforeBrake(points, 'nightly')).toMatchObject({ isEngaged: true, good: { id: '2' } });
    expect(beforeBrake(points, 'tables')).toMatchObject({ isEngaged: false, good: { id: 'other' } });
    expect(beforeBrake(points.slice(0, 2), 'nightly')).toEqual({ isEngaged: true, good: undefined });
  });
});

it('a reason is wrong if the API says so', () => {
  for (const text of [...HOSTILE_NAMES, '', ' ', 'audit 2026', 'x'.repeat(200), 'x'.repeat(201), 'a\nb'])
    expect(reasonProblem(text) === undefined, JSON.stringify(text)).toBe(reason.safeParse(text).success);
});

it.each([
  [{ name: 'ada@example.org', via: 'entra' }, 'by ada@example.org'],
  [{ name: 'ci', via: 'key' }, 'by the key ci'],
  [{ name: null, via: 'key' }, 'by a key'],
  [{ name: null, via: 'loopback' }, 'by a caller on the machine of the app'],
  [{ name: null, via: 'schedule' }, 'by schedule'],
  [undefined, 'not recorded'],
])('%j did it: %s', (by, words) => expect(byWords(by)).toBe(words));
