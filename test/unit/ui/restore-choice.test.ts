import { describe, expect, it } from 'vitest';
import { restoreRequestSchema } from '#api/restore-request.ts';
import { blobFilter } from '#domain/blobs/blob-filter.ts';
import { bodyOf, isSelectable, type RestoreChoice, type What } from '../../../ui/model/restore-choice.ts';
import { HOSTILE_NAMES } from '../../support/builders/hostile-names.ts';

const choice: RestoreChoice = {
  point: 'nightly-20261121T233000Z-k3f9q2',
  what: { kind: 'names', container: 'images', names: ['2026/a.jpg'] },
  where: { isOriginal: false, account: '', container: '{container}-restored', prefix: '', table: '{table}Restored' },
  existing: 'fail',
  rehydrate: 'none',
};
const original = { ...choice.where, isOriginal: true };
const SOME: What[] = [
  { kind: 'names', container: 'images', names: ['a', 'b'] },
  { kind: 'folder', container: 'images', prefix: '2026/' },
  { kind: 'folder', container: 'images', prefix: '/odd/' },
  { kind: 'some', containers: ['images'], tables: [] },
  { kind: 'some', containers: [], tables: ['orders'] },
  { kind: 'some', containers: ['images', 'docs'], tables: ['orders'] },
  { kind: 'everything' },
];

describe('the body of a restore', () => {
  it.each<[string, Partial<RestoreChoice>, object]>([
    [
      'some names to another container',
      {},
      {
        containers: ['images'],
        names: ['2026/a.jpg'],
        target: { container: '{container}-restored' },
        existing: 'fail',
      },
    ],
    [
      'a folder to where it was',
      { what: SOME[1]!, where: original, existing: 'skip', rehydrate: 'high' },
      { containers: ['images'], prefix: '2026/', existing: 'skip', rehydrate: 'high' },
    ],
    [
      'a table to another table of another account',
      { what: SOME[4]!, where: { ...choice.where, account: 'VAULT' } },
      { tables: ['orders'], target: { account: 'VAULT', table: '{table}Restored' }, existing: 'fail' },
    ],
    [
      'everything to another place',
      { what: { kind: 'everything' } },
      { target: { container: '{container}-restored', table: '{table}Restored' }, existing: 'fail' },
    ],
    ['everything to where it was', { what: { kind: 'everything' }, where: original }, { existing: 'fail' }],
    [
      'containers into one, with a folder each',
      { what: SOME[3]!, where: { ...choice.where, container: 'restored', prefix: '{container}/' } },
      { containers: ['images'], target: { container: 'restored', prefix: '{container}/' }, existing: 'fail' },
    ],
  ])('asks for %s', (_, part, body) =>
    expect(bodyOf({ ...choice, ...part })).toEqual({ restorePoint: choice.point, ...body }),
  );

  it('is taken by the API, whatever the choice', () => {
    for (const what of SOME)
      for (const where of [choice.where, original, { ...original, account: 'VAULT' }])
        for (const existing of ['fail', 'skip', 'if-different', 'replace'] as const) {
          const { error } = restoreRequestSchema.safeParse(bodyOf({ ...choice, what, where, existing }));
          expect(error?.issues, JSON.stringify({ what, where, existing })).toBeUndefined();
        }
  });

  it('carries every hostile name as it is', () => {
    const names = HOSTILE_NAMES.slice(0, 300);
    expect(
      restoreRequestSchema.parse(bodyOf({ ...choice, what: { kind: 'names', container: 'images', names } })).names,
    ).toEqual(names);
  });

  it('selects a folder that begins with a slash, and nothing else', () => {
    for (const name of HOSTILE_NAMES.filter((each) => each.startsWith('/'))) {
      const prefix = name.slice(0, name.lastIndexOf('/') + 1);
      expect(isSelectable(prefix)).toBe(prefix.length < 500);
      if (!isSelectable(prefix)) continue;
      const { include } = restoreRequestSchema.parse(
        bodyOf({ ...choice, what: { kind: 'folder', container: 'images', prefix } }),
      );
      const filter = blobFilter({ include });
      for (const each of [`${prefix}x`, `${prefix}x/y`, `${prefix}/`, prefix]) expect(filter(each), each).toBe(true);
      for (const each of [`x${prefix}x`, `${prefix.slice(1)}x`])
        expect(filter(each), each).toBe(each.startsWith(prefix));
    }
  });
});
