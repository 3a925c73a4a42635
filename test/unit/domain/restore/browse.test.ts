import { describe, expect, it } from 'vitest';
import { folderView, lastFolder, mayAdd, type Row, settled, type View } from '#domain/restore/browse.ts';
import { type NameRange, widened } from '#domain/run/name-range.ts';
import { type Outcome, outcomeOf } from '#domain/run/outcome.ts';
import type { PartEntry } from '#domain/run/run.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { HOSTILE_NAMES } from '../../../support/builders/hostile-names.ts';

const copied = (name: string, etag = '0x1') => outcomeOf(blobState({ name, etag }), 'copied');
const failed = (name: string) => outcomeOf(blobState({ name }), 'failed', { code: 'throttled' });
const reported = (rows: Row[]) => rows.map((row) => ('folder' in row ? `[${row.folder}]` : row.outcome.name));
const view = (names: string[], how: View) =>
  reported(
    folderView(
      names.map((name) => copied(name)),
      how,
    ),
  );

describe('looking into a folder', () => {
  const names = ['a', 'a/', 'a/1', 'a/b/2', 'a/b/3', 'a/c', 'b//x', 'b/y'];

  it('shows names up to the next delimiter, each folder once', () => {
    expect(view(names, { prefix: '', delimiter: '/' })).toEqual(['a', '[a/]', '[b/]']);
    expect(view(names, { prefix: 'a/', delimiter: '/' })).toEqual(['a/', 'a/1', '[a/b/]', 'a/c']);
    expect(view(names, { prefix: 'b/', delimiter: '/' })).toEqual(['[b//]', 'b/y']);
  });

  it('takes a prefix as it is: it need not end with the delimiter', () => {
    expect(view(names, { prefix: 'a', delimiter: '/' })).toEqual(['a', '[a/]']);
    expect(view(names, { prefix: 'a/b', delimiter: '/' })).toEqual(['[a/b/]']);
  });

  it('without a delimiter shows every name', () => {
    expect(view(names, { prefix: 'a/b' })).toEqual(['a/b/2', 'a/b/3']);
    expect(view(names, { prefix: '' })).toEqual(names);
  });

  it('knows delimiters of several characters, and of more than one unit', () => {
    expect(view(['a--b', 'a--c', 'a-d'], { prefix: 'a', delimiter: '--' })).toEqual(['[a--]', 'a-d']);
    expect(view(['a😀b', 'a😀c'], { prefix: '', delimiter: '😀' })).toEqual(['[a😀]']);
  });

  it('does not repeat the folder that was shown before', () => {
    expect(view(['a/1', 'a/2', 'b/1'], { prefix: '', delimiter: '/', folder: 'a/' })).toEqual(['[b/]']);
    // Even where names come between: their order may not be the one they were listed in.
    expect(view(['a-b', 'a/2'], { prefix: '', delimiter: '/', folder: 'a/' })).toEqual(['a-b']);
  });

  it('returns the last folder that has been shown', () => {
    expect(lastFolder([{ folder: 'a/' }, { folder: 'b/' }, { outcome: copied('c') }], 'x/')).toBe('b/');
    expect(lastFolder([{ outcome: copied('c') }], 'x/')).toBe('x/');
    expect(lastFolder([], undefined)).toBeUndefined();
  });
});

describe('a part', () => {
  const part = (names: NameRange | undefined, outcomes = 1): PartEntry => ({
    path: 'p',
    container: 'data',
    destination: 'databackup',
    copied: outcomes,
    unchanged: 0,
    skipped: 0,
    failed: 0,
    sha256: '',
    ...(names && { names }),
  });

  it('is passed over where it has nothing, nothing of the prefix, or only the folder that has been shown', () => {
    expect(mayAdd(part(['a', 'z']), { prefix: 'b' })).toBe(true);
    expect(mayAdd(part(['a', 'z'], 0), { prefix: 'b' })).toBe(false);
    expect(mayAdd(part(['a', 'az']), { prefix: 'b' })).toBe(false);
    expect(mayAdd(part(['b/1', 'b/9']), { prefix: '', delimiter: '/', folder: 'b/' })).toBe(false);
    expect(mayAdd(part(['b/1', 'b0']), { prefix: '', delimiter: '/', folder: 'b/' })).toBe(true);
  });

  it('may hold anything where its names are not known', () => {
    expect(mayAdd(part(undefined), { prefix: 'b', delimiter: '/', folder: 'b/' })).toBe(true);
  });

  it('is never passed over where it would add a row, whatever the names', () => {
    const hostile = [...HOSTILE_NAMES].sort();
    let added = 0;
    for (let start = 0; start < hostile.length; start += 7) {
      const own = hostile.slice(start, start + 7);
      const range = own.reduce<NameRange | undefined>((sum, name) => widened(sum, name), undefined);
      const outcomes = own.map((name) => copied(name));
      for (const name of HOSTILE_NAMES) {
        const segments = name.split('/').map((segment) => `${segment}/`);
        const hows = [
          { prefix: name },
          ...segments.slice(0, 3).map((segment, depth) => {
            const prefix = segments.slice(0, depth).join('');
            return { prefix, delimiter: '/', folder: prefix + segment };
          }),
        ];
        for (const how of hows) {
          if (folderView(outcomes, how).length === 0) continue;
          added++;
          expect(mayAdd(part(range), how), JSON.stringify([own, how])).toBe(true);
        }
      }
    }
    expect(added).toBeGreaterThan(10_000);
  });
});

describe('what a retry has settled', () => {
  const statuses = (outcomes: Outcome[]) => outcomes.map(({ name, status, etag }) => [name, status, etag]);

  it('takes the place of the failure, and of nothing else', () => {
    const all = [failed('a'), copied('b'), failed('c')];
    expect(statuses(settled(all, [copied('a', '0x2'), copied('b', '0x3')]))).toEqual([
      ['a', 'copied', '0x2'],
      ['b', 'copied', '0x1'],
      ['c', 'failed', '0x1'],
    ]);
  });

  it('may fail again, and be settled by the retry after that', () => {
    expect(statuses(settled([failed('a')], [failed('a'), copied('a', '0x2'), copied('a', '0x3')]))).toEqual([
      ['a', 'copied', '0x2'],
    ]);
  });
});
