import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { BlobState, CopyState } from '#domain/blobs/blob.ts';
import { recordOf, withRecord } from '#domain/copying/record.ts';
import { decideRestore, isBrokenOff, isMadeBy, isRestored, writeOf } from '#domain/restore/restore.ts';
import type { BlobEntry } from '#domain/run/outcome.ts';
import type { Existing } from '#domain/run/tasks.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const ENTRY: BlobEntry = {
  name: 'a.txt',
  etag: '0xS1',
  modified: '2026-05-01T10:00:00.000Z',
  size: 10,
  md5: 'AAAA',
};
const ORIGINAL = blobState({
  etag: '0xS1',
  contentMd5: 'AAAA',
  contentType: 'text/plain',
  metadata: { Author: 'Ada' },
});
const CONTENT: BlobState = {
  ...ORIGINAL,
  etag: '0xV1',
  metadata: withRecord(ORIGINAL.metadata, recordOf(ORIGINAL, 'nightly-20260501T000000Z-bbbbbb'))!,
};
/** What the target has when it has been restored already. */
const SAME: BlobState = { ...ORIGINAL, etag: '0xT1' };
const ALL: Existing[] = ['fail', 'skip', 'overwrite', 'if-different'];
const task = (existing: Existing, original = false) => ({ existing, original });

describe('deciding one blob of a restore', () => {
  it.each(ALL)('%s: what is not there is copied', (existing) => {
    expect(decideRestore(ENTRY, CONTENT, undefined, task(existing), false)).toEqual({ action: 'copy' });
  });

  it.each(ALL)('%s: what this run has made is done', (existing) => {
    expect(decideRestore(ENTRY, CONTENT, SAME, task(existing), true)).toEqual({ action: 'done' });
  });

  it('what is there is a failure, or skipped, whatever it is', () => {
    for (const there of [SAME, { ...SAME, contentMd5: 'BBBB' }]) {
      const of = (existing: Existing) => decideRestore(ENTRY, CONTENT, there, task(existing, true), false);
      expect(of('fail')).toEqual({ action: 'fail', code: 'target-exists' });
      expect(of('skip')).toEqual({ action: 'skip', code: 'target-exists' });
    }
  });

  const without = <Key extends keyof BlobState>(key: Key): BlobState => {
    const { [key]: _, ...rest } = SAME;
    return rest as BlobState;
  };
  it.each<[string, BlobState, Partial<BlobEntry>]>([
    ['is of another size', { ...SAME, size: 11 }, {}],
    ['is of another type', { ...SAME, type: 'append' }, {}],
    ['has another MD5', { ...SAME, contentMd5: 'BBBB' }, {}],
    ['tells no MD5', without('contentMd5'), {}],
    ['is of an entry without MD5', SAME, { md5: undefined as never }],
    ['has another content type', { ...SAME, contentType: 'text/html' }, {}],
    ['has a header too many', { ...SAME, cacheControl: 'no-cache' }, {}],
    ['has other metadata', { ...SAME, metadata: { Author: 'Bob' } }, {}],
    ['has metadata too many', { ...SAME, metadata: { Author: 'Ada', more: '1' } }, {}],
    ['has none', without('metadata'), {}],
    ['has our record on it', { ...SAME, metadata: CONTENT.metadata! }, {}],
    ['is in another tier', { ...SAME, tier: 'Cool' }, { tier: 'Hot' }],
    ['has no tags', SAME, { tags: { a: '1' } }],
    ['has tags too many', { ...SAME, tagCount: 1, tags: { a: '1' } }, {}],
    ['has other tags', { ...SAME, tagCount: 1, tags: { a: '2' } }, { tags: { a: '1' } }],
    ['has tags that cannot be read', { ...SAME, tagCount: 1 }, { tags: { a: '1' } }],
    ['is being copied', { ...SAME, copy: { id: 'c', status: 'pending' } }, {}],
    ['was left by a failed copy', { ...SAME, copy: { id: 'c', status: 'failed' } }, {}],
  ])('what %s is replaced where that is wanted', (_what, there, more) => {
    for (const existing of ['overwrite', 'if-different'] as const) {
      expect(decideRestore({ ...ENTRY, ...more }, CONTENT, there, task(existing), false)).toEqual({ action: 'copy' });
    }
  });

  it('what is the same already need not be brought', () => {
    for (const existing of ['overwrite', 'if-different'] as const) {
      const of = (there: BlobState, more: Partial<BlobEntry> = {}, original = false) =>
        decideRestore({ ...ENTRY, ...more }, CONTENT, there, task(existing, original), false);
      expect(of(SAME)).toEqual({ action: 'unchanged' });
      expect(
        of({ ...SAME, tier: 'Cool', tags: { b: '2', a: '1' } }, { tier: 'Cool', tags: { a: '1', b: '2' } }),
      ).toEqual({
        action: 'unchanged',
      });
      const original = { ...without('contentMd5'), etag: ENTRY.etag };
      expect(of(original, {}, true)).toEqual({ action: 'unchanged' });
      // The same ETag in another account is a coincidence.
      expect(of(original, {}, false)).toEqual({ action: 'copy' });
      expect(of({ ...original, size: 11 }, {}, true)).toEqual({ action: 'copy' });
    }
  });
});

const RUN = { startedAt: '2026-05-02T00:00:00.000Z' };
const AFTER = '2026-05-02T00:01:00.000Z';
const FROM = '/databackup/a.txt';
const TIMED = '?snapshot=2026-05-01T10:00:00.0000000Z';
const made = (source: string, more: Partial<BlobState> = {}, copy: Partial<CopyState> = {}): BlobState => ({
  ...SAME,
  lastModified: AFTER,
  copy: { id: 'c', status: 'success', source, ...copy },
  ...more,
});
const bare = ({ contentMd5: _, ...blob }: BlobState): BlobState => blob;

describe('what a run has made', () => {
  it.each<[string, boolean, BlobState, BlobState, string]>([
    ['a copy from the content', true, made(FROM), CONTENT, FROM],
    ['nothing copied', false, { ...SAME, lastModified: AFTER }, CONTENT, FROM],
    ['a copy from elsewhere', false, made('/data/a.txt'), CONTENT, FROM],
    ['from before the run', false, made(FROM, { lastModified: '2026-05-01T23:44:00.000Z' }), CONTENT, FROM],
    ['within what clocks differ by', true, made(FROM, { lastModified: '2026-05-01T23:46:00.000Z' }), CONTENT, FROM],
    ['a failed copy', false, made(FROM, { size: 0 }, { status: 'failed' }), CONTENT, FROM],
    ['a pending copy', true, made(FROM, { size: 0 }, { status: 'pending' }), CONTENT, FROM],
    ['other content, by its MD5', false, made(FROM, { contentMd5: 'BBBB' }), CONTENT, FROM],
    ['other content, by its length', false, made(FROM, { size: 11 }), CONTENT, FROM],
    ['another type', false, made(FROM, { type: 'page' }), CONTENT, FROM],
    ['content that has moved into a snapshot since', true, made(FROM), CONTENT, FROM + TIMED],
    ['the same without a hash to tell it by', false, bare(made(FROM)), bare(CONTENT), FROM + TIMED],
    [
      'a snapshot without a hash',
      true,
      bare(made(FROM + TIMED)),
      { ...bare(CONTENT), snapshotOrVersion: { snapshot: 't' } },
      FROM + TIMED,
    ],
    ['a base blob without a hash, not changed since', true, bare(made(FROM)), bare(CONTENT), FROM],
    [
      'a base blob without a hash, changed since',
      false,
      bare(made(FROM)),
      { ...bare(CONTENT), lastModified: '2026-05-02T00:02:00.000Z' },
      FROM,
    ],
  ])('%s: %s', (_what, expected, target, content, from) => {
    expect(isMadeBy(RUN, target, content, from, undefined)).toBe(expected);
  });

  it('I7: is no other version with the same bytes, which an earlier restore has brought', () => {
    const isOurs = (more: Partial<BlobState>, content = CONTENT) =>
      isMadeBy(RUN, made(FROM, more), content, FROM, undefined);
    expect(isOurs({ contentType: 'text/html' })).toBe(false);
    expect(isOurs({ metadata: { Author: 'Bob' } })).toBe(false);
    expect(isOurs({ metadata: {} })).toBe(false);
    // As a look at it shows what came of this content.
    expect(isOurs({ metadata: { author: 'Ada' } })).toBe(true);
    const odd = { ...CONTENT, metadata: { Author: 'Zoë' } };
    expect(isOurs({ metadata: { author: 'ZoÃ«' } }, odd)).toBe(true);
    expect(isOurs({ metadata: { author: 'Ada' } }, odd)).toBe(false);
    // Without any of its own, our record is there until it is taken off.
    const plain = { ...CONTENT, metadata: withRecord({}, recordOf(ORIGINAL, 'nightly-20260501T000000Z-bbbbbb'))! };
    expect(isOurs({ metadata: plain.metadata }, plain)).toBe(true);
    expect(isOurs({ metadata: {} }, plain)).toBe(true);
    expect(isOurs({ metadata: { author: 'Ada' } }, plain)).toBe(false);
  });

  it('is nothing that was there before, whoever has set its properties since', () => {
    const before = made(FROM);
    expect(isMadeBy(RUN, before, CONTENT, FROM, before)).toBe(false);
    expect(isMadeBy(RUN, { ...before, etag: '0xT2', metadata: {} }, CONTENT, FROM, before)).toBe(false);
    expect(isMadeBy(RUN, made(FROM, {}, { id: 'd' }), CONTENT, FROM, before)).toBe(true);
    expect(isMadeBy(RUN, made(FROM), CONTENT, FROM, SAME)).toBe(true);
  });

  it('is what the run that it retries has made, too', () => {
    const late = { startedAt: '2026-05-03T00:00:00.000Z' };
    expect(isMadeBy(late, made(FROM), CONTENT, FROM, undefined)).toBe(false);
    const retry = { ...late, retryOf: 'nightly-20260502T000000Z-aaaaaa' };
    expect(isMadeBy(retry, made(FROM), CONTENT, FROM, undefined)).toBe(true);
  });
});

test('what a broken-off copy of a blob has left is known, whichever of its states was copied', () => {
  const status = fc.constantFrom('pending', 'success', 'failed', 'aborted' as const);
  const address = fc.constantFrom(FROM, FROM + TIMED, '/databackup/a.txt2', '/other/a.txt');
  fc.assert(
    fc.property(status, address, address, (each, source, from) => {
      const plain = (of: string) => of.replace(TIMED, '');
      const expected = (each === 'failed' || each === 'aborted') && plain(source) === plain(from);
      expect(isBrokenOff(made(source, {}, { status: each }), from)).toBe(expected);
    }),
  );
  expect(isBrokenOff(SAME, FROM)).toBe(false);
});

describe('what is restored of a restore point', () => {
  const SHARES = ['images', 'tenant-1', 'table.orders', 'table.tenant1'];
  it.each<[string[], string[], string[]]>([
    [[], [], SHARES],
    [['images'], [], ['images']],
    [['*'], [], ['images', 'tenant-1']],
    [[], ['ORDERS'], ['table.orders']],
    [[], ['*'], ['table.orders', 'table.tenant1']],
    [['tenant-*'], ['tenant*'], ['tenant-1', 'table.tenant1']],
  ])('containers %j and tables %j', (containers, tables, wanted) => {
    expect(SHARES.filter((share) => isRestored({ containers, tables }, share))).toEqual(wanted);
  });

  it('a restore that an earlier version began has no tables in it', () => {
    expect(isRestored({ containers: ['images'] } as never, 'table.orders')).toBe(false);
    expect(isRestored({ containers: [] } as never, 'images')).toBe(true);
  });

  it('entities are replaced only where the request says so', () => {
    const all: Existing[] = ['fail', 'skip', 'overwrite', 'if-different', 'replace', 'merge'];
    expect(all.map(writeOf)).toEqual(['insert', 'insert', 'replace', 'replace', 'replace', 'merge']);
  });

  it('a blob is never merged', () => {
    expect(decideRestore(ENTRY, CONTENT, SAME, task('merge'), false)).toEqual({
      action: 'fail',
      code: 'target-exists',
    });
    expect(decideRestore(ENTRY, CONTENT, { ...SAME, size: 9 }, task('replace'), false)).toEqual({ action: 'copy' });
  });
});
