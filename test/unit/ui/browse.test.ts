import { describe, expect, it } from 'vitest';
import { crumbsOf, entriesOf, lackOf, NO_ENTRIES, neighbors, parentOf, withEntries } from '../../../ui/model/browse.ts';

const blob = (name: string) => ({
  ...{ name, size: 1, modified: '2026-11-20T10:00:00.000Z', etag: '0x1' },
  ...{ type: 'block' as const, status: 'held' as const },
});

describe('a folder', () => {
  it('adds up its pages, folders first, with what each name adds', () => {
    const first = withEntries(
      NO_ENTRIES,
      { items: [blob('2026/a.jpg')], folders: [{ prefix: '2026/b/' }], next: 'x' },
      '2026/',
    );
    const all = withEntries(first, { items: [blob('2026/z')], folders: [{ prefix: '2026//' }], next: null }, '2026/');
    expect(entriesOf(all).map(({ kind, label }) => [kind, label])).toEqual([
      ['folder', 'b/'],
      ['folder', '/'],
      ['blob', 'a.jpg'],
      ['blob', 'z'],
    ]);
    expect(all.next).toBeNull();
  });

  it.each([
    ['', []],
    ['2026/', [['2026', '2026/']]],
    [
      'a/b/',
      [
        ['a', 'a/'],
        ['b', 'a/b/'],
      ],
    ],
    [
      '//',
      [
        ['', '/'],
        ['', '//'],
      ],
    ],
    [
      '../%2f/',
      [
        ['..', '../'],
        ['%2f', '../%2f/'],
      ],
    ],
  ])('%j has the folders above it', (prefix, crumbs) =>
    expect(crumbsOf(prefix).map((crumb) => [crumb.label, crumb.prefix])).toEqual(crumbs),
  );

  it.each([
    ['', ''],
    ['a/', ''],
    ['a/b/', 'a/'],
    ['a//', 'a/'],
    ['//', '/'],
  ])('%j is in %j', (prefix, parent) => expect(parentOf(prefix)).toBe(parent));
});

it('a walk through time stays in the job', () => {
  const points = [
    { id: 'n-3', job: 'nightly', time: '3' },
    { id: 't-9', job: 'tables', time: '2.5' },
    { id: 'n-2', job: 'nightly', time: '2' },
  ];
  expect(neighbors(points, 'n-3')).toEqual({ older: points[2], newer: undefined });
  expect(neighbors(points, 'n-2')).toEqual({ older: undefined, newer: points[0] });
});

it('a blob that is not held says why', () => {
  expect(lackOf(blob('a'))).toBeUndefined();
  expect(lackOf({ ...blob('a'), status: 'failed', code: 'destination-leased' })).toBe('failed: destination-leased');
});
