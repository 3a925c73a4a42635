import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '#domain/run/problems.ts';
import { selectedOf, whatOf } from '../../../ui/model/asked-restore.ts';
import type { Basket } from '../../../ui/model/basket.ts';
import { FAILURE_CODES, failureWords } from '../../../ui/model/failure-words.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

const basket: Basket = [
  { point: { id: 'p', time: '' }, job: 'nightly', container: 'images', blobs: [{ name: '../a', size: 1 }] },
];
const what = (query: string) => whatOf(new URLSearchParams(query), 'p', basket);

describe('an address of a restore', () => {
  it.each<[string, object | undefined]>([
    ['all=1', { kind: 'everything' }],
    ['container=images&name=2026%2Fa.jpg', { kind: 'names', container: 'images', names: ['2026/a.jpg'] }],
    ['container=images&prefix=%2Fa%2F', { kind: 'folder', container: 'images', prefix: '/a/' }],
    ['container=images&whole=1', { kind: 'some', containers: ['images'], tables: [] }],
    ['container=images&basket=1', { kind: 'names', container: 'images', names: ['../a'] }],
    ['containers=["a","b"]&tables=["t"]', { kind: 'some', containers: ['a', 'b'], tables: ['t'] }],
    ['tables=["t"]', { kind: 'some', containers: [], tables: ['t'] }],
  ])('%s asks for what it says', (query, asked) => expect(what(query)).toEqual(asked));

  it.each([
    '',
    // None of these may ask for everything.
    'container=images',
    'container=images&name=',
    'container=images&prefix=',
    'container=docs&basket=1',
    'containers=[]&tables=[]',
    'containers={}',
    'containers=["a"',
    'containers=[1,""]',
  ])('"%s" asks for nothing', (query) => expect(what(query)).toBeUndefined());

  it('carries every name', () => {
    for (const name of HOSTILE_NAMES)
      expect(what(new URLSearchParams({ container: 'images', name }).toString())).toMatchObject({ names: [name] });
  });
});

it('selects of what the restore point holds', () => {
  const held = { containers: ['a', 'b'], tables: ['t'] };
  expect(selectedOf({ kind: 'everything' }, held)).toEqual(held);
  expect(selectedOf({ kind: 'folder', container: 'a', prefix: 'x/' }, held)).toEqual({ containers: ['a'], tables: [] });
});

it('a reason why a blob is not restored has words for the codes that there are', () => {
  for (const code of FAILURE_CODES) expect(Object.keys(PROBLEMS)).toContain(code);
  expect(failureWords('content-archived')).toBe('in the archive tier of the vault');
  expect(failureWords('of-a-later-version')).toBe('of-a-later-version');
});
