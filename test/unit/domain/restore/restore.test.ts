import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { BlobState, CopyState } from '#domain/blobs/blob.ts';
import { recordOf, withRecord } from '#domain/copying/record.ts';
import {
  decideRestore,
  hasSameTags,
  isBrokenOff,
  isLeftover,
  isMadeBy,
  isRestored,
  writeOf,
} from '#domain/restore/restore.ts';
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
    expect(decideRestore(ENTRY, undefined, task(existing), false)).toEqual({ action: 'copy' });
  });

  it.each(ALL)('%s: what this run has made is done', (existing) => {
    expect(decideRestore(ENTRY, SAME, task(existing), true)).toEqual({ action: 'done' });
  });

  it('what is there is a failure, or skipped, whatever it is', () => {
    for (const there of [SAME, { ...SAME, contentMd5: 'BBBB' }]) {
      const of = (existing: Existing) => decideRestore(ENTRY, there, task(existing, true), false);
      expect(of('fail')).toEqual({ action: 'fail', code: 'target-exists' });
      expect(of('skip')).toEqual({ action: 'skip', code: 'target-exists' });
    }
  });

  /** The version that was backed up, still in its place. */
  const STILL: BlobState = { ...SAME, etag: ENTRY.etag };
  it.each<[string, BlobState, Partial<BlobEntry>]>([
    ['is another version with equal properties', SAME, {}],
    ['is in another tier', { ...STILL, tier: 'Cool' }, { tier: 'Hot' }],
    ['has no tags', STILL, { tags: { a: '1' } }],
    ['has tags too many', { ...STILL, tagCount: 1, tags: { a: '1' } }, {}],
    ['has other tags', { ...STILL, tagCount: 1, tags: { a: '2' } }, { tags: { a: '1' } }],
    ['has tags that cannot be read', { ...STILL, tagCount: 1 }, { tags: { a: '1' } }],
    ['had no tags and has tags that cannot be read', { ...STILL, tagCount: 1 }, {}],
    ['has lost its tier', STILL, { tier: 'Hot' }],
  ])('a blob in its original container that %s is replaced if the request allows it', (_what, there, more) => {
    for (const existing of ['overwrite', 'if-different'] as const) {
      expect(decideRestore({ ...ENTRY, ...more }, there, task(existing, true), false)).toEqual({ action: 'copy' });
    }
  });

  it('only the version that was backed up, in its original container, is unchanged', () => {
    for (const existing of ['overwrite', 'if-different'] as const) {
      const of = (there: BlobState, more: Partial<BlobEntry> = {}, original = true) =>
        decideRestore({ ...ENTRY, ...more }, there, task(existing, original), false);
      expect(of(STILL)).toEqual({ action: 'unchanged' });
      const tagged = { ...STILL, tier: 'Cool', tags: { b: '2', a: '1' } };
      expect(of(tagged, { tier: 'Cool', tags: { a: '1', b: '2' } })).toEqual({ action: 'unchanged' });
      expect(of({ ...STILL, tier: 'Hot', tagCount: 0 }, { tags: {} })).toEqual({ action: 'unchanged' });
      // The same ETag in another account is a coincidence.
      expect(of(STILL, {}, false)).toEqual({ action: 'copy' });
    }
  });

  test('I10: no property that a writer can set makes a restore leave a blob', () => {
    const set = fc.record({
      contentMd5: fc.constantFrom('AAAA', 'BBBB'),
      contentType: fc.constantFrom('text/plain', 'text/html'),
      size: fc.constantFrom(10, 11),
      lastModified: fc.constantFrom(ENTRY.modified, '2026-05-03T00:00:00.000Z'),
      metadata: fc.constantFrom({ Author: 'Ada' }, CONTENT.metadata!, {}),
    });
    fc.assert(
      fc.property(set, fc.boolean(), (properties, original) => {
        const written = { ...STILL, ...properties, etag: '0xT9' };
        for (const existing of ['overwrite', 'if-different'] as const) {
          expect(decideRestore(ENTRY, written, task(existing, original), false)).toEqual({ action: 'copy' });
        }
      }),
    );
  });
});

const RUN = { startedAt: '2026-05-02T00:00:00.000Z' };
const AFTER = '2026-05-02T00:01:00.000Z';
const FROM = '/databackup/a.txt';
const TIMED = '?snapshot=2026-05-02T00:02:00.0000000Z';
/** The content after the base blob was overwritten: the snapshot that the overwriting took. */
const MOVED_AT = '2026-05-02T00:02:00.000Z';
const MOVED: BlobState = { ...CONTENT, snapshotOrVersion: { snapshot: '2026-05-02T00:02:00.0000000Z' } };
const made = (source: string, more: Partial<BlobState> = {}, copy: Partial<CopyState> = {}): BlobState => ({
  ...SAME,
  lastModified: AFTER,
  copy: { id: 'c', status: 'success', source, ...copy },
  ...more,
});

const PENDING_BEFORE = made(FROM, { lastModified: '2026-05-01T23:00:00.000Z' }, { status: 'pending' });
const SOURCELESS: BlobState = { ...SAME, lastModified: AFTER, copy: { id: 'c', status: 'success' } };

describe('what a run has made', () => {
  it.each<[string, boolean, BlobState, BlobState, string]>([
    ['a copy from the content', true, made(FROM), CONTENT, FROM],
    ['nothing copied', false, { ...SAME, lastModified: AFTER }, CONTENT, FROM],
    ['a copy from elsewhere', false, made('/data/a.txt'), CONTENT, FROM],
    ['from before the run', false, made(FROM, { lastModified: '2026-05-01T23:44:00.000Z' }), CONTENT, FROM],
    ['within what clocks differ by', true, made(FROM, { lastModified: '2026-05-01T23:46:00.000Z' }), CONTENT, FROM],
    [
      'just within what clocks differ by',
      true,
      made(FROM, { lastModified: '2026-05-01T23:45:00.000Z' }),
      CONTENT,
      FROM,
    ],
    ['a failed copy', false, made(FROM, {}, { status: 'failed' }), CONTENT, FROM],
    ['an aborted copy', false, made(FROM, {}, { status: 'aborted' }), CONTENT, FROM],
    ['a pending copy', true, made(FROM, { size: 0 }, { status: 'pending' }), CONTENT, FROM],
    ['a pending copy from elsewhere', false, made('/data/a.txt', {}, { status: 'pending' }), CONTENT, FROM],
    ['a pending copy from before the run', false, PENDING_BEFORE, CONTENT, FROM],
    ['a copy whose source the service does not show', false, SOURCELESS, CONTENT, FROM],
    ['a copy, whatever its MD5 has been set to', true, made(FROM, { contentMd5: 'BBBB' }), CONTENT, FROM],
    ['other content, by its length', false, made(FROM, { size: 11 }), CONTENT, FROM],
    ['another type', false, made(FROM, { type: 'page' }), CONTENT, FROM],
    ['content that has moved into a snapshot since', true, made(FROM), MOVED, FROM + TIMED],
    [
      'other content of the same MD5, copied after the content had moved',
      false,
      made(FROM, { lastModified: '2026-05-02T00:03:00.000Z' }),
      MOVED,
      FROM + TIMED,
    ],
    [
      'other content of the same MD5, copied before the content was there',
      false,
      made(FROM),
      { ...MOVED, lastModified: '2026-05-02T00:01:30.000Z' },
      FROM + TIMED,
    ],
    [
      'content that has become a version, which does not show until when it was the base blob',
      false,
      made(FROM),
      { ...CONTENT, snapshotOrVersion: { version: '2026-05-01T10:00:00.0000000Z' } },
      `${FROM}?versionid=2026-05-01T10:00:00.0000000Z`,
    ],
    ['a snapshot', true, made(FROM + TIMED), MOVED, FROM + TIMED],
    ['another snapshot', false, made(`${FROM}?snapshot=2026-05-01T09:00:00.0000000Z`), MOVED, FROM + TIMED],
    [
      'a snapshot, whenever the target was made',
      true,
      made(FROM + TIMED, { lastModified: '2026-05-02T00:00:30.000Z' }),
      { ...MOVED, lastModified: AFTER },
      FROM + TIMED,
    ],
    [
      'content that moved into a snapshot at that moment',
      true,
      made(FROM, { lastModified: MOVED_AT }),
      MOVED,
      FROM + TIMED,
    ],
    ['content that came at that moment', true, made(FROM), { ...MOVED, lastModified: AFTER }, FROM + TIMED],
    ['a base blob that changed at that moment', true, made(FROM), { ...CONTENT, lastModified: AFTER }, FROM],
    ['a base blob that has not changed since', true, made(FROM), CONTENT, FROM],
    [
      'a base blob that has changed since',
      false,
      made(FROM),
      { ...CONTENT, lastModified: '2026-05-02T00:02:00.000Z' },
      FROM,
    ],
  ])('%s: %s', (_what, expected, target, content, from) => {
    expect(isMadeBy(RUN, ENTRY, target, [content], () => from, undefined)).toBe(expected);
  });

  it('I7: is no other version with the same bytes, which an earlier restore has brought', () => {
    const isOurs = (more: Partial<BlobState>, content = CONTENT) =>
      isMadeBy(RUN, { ...ENTRY, vaultEtag: CONTENT.etag }, made(FROM, more), [content], () => FROM, undefined);
    expect(isOurs({ contentType: 'text/html' })).toBe(false);
    expect(isOurs({ metadata: { Author: 'Bob' } })).toBe(false);
    expect(isOurs({ metadata: {} })).toBe(false);
    // As a look at it shows what came of this content.
    expect(isOurs({ metadata: { author: 'Ada' } })).toBe(true);
    // Nothing but its ETag identifies it: the service copied its metadata, and no record.
    const odd = { ...CONTENT, metadata: { Author: 'Zoë' } };
    expect(isOurs({ metadata: { author: 'ZoÃ«' } }, odd)).toBe(true);
    expect(isOurs({ metadata: { author: 'Ada' } }, odd)).toBe(false);
    // Keys of ours are metadata like any other if the source had them, and otherwise are not.
    expect(isOurs({ metadata: { author: 'Ada', strongroom_etag: '0x0' } })).toBe(false);
    const forged = { ...ENTRY, metadata: { Author: 'Ada', strongroom_etag: '0x0' } };
    const like = (metadata: Record<string, string>) =>
      isMadeBy(RUN, forged, made(FROM, { metadata }), [CONTENT], () => FROM, undefined);
    expect([like({ author: 'Ada', strongroom_etag: '0x0' }), like({ author: 'Ada' })]).toEqual([true, false]);
    // Without any of its own, our record is there until it is taken off.
    const plain = { ...CONTENT, metadata: withRecord({}, recordOf(ORIGINAL, 'nightly-20260501T000000Z-bbbbbb'))! };
    expect(isOurs({ metadata: plain.metadata }, plain)).toBe(true);
    expect(isOurs({ metadata: {} }, plain)).toBe(true);
    expect(isOurs({ metadata: { author: 'Ada' } }, plain)).toBe(false);
  });

  it('F28: is a copy of any state that has the content, from whichever the other execution copied', () => {
    const at = (time: string): BlobState => ({ ...CONTENT, snapshotOrVersion: { snapshot: time } });
    const twice = [at('2026-05-02T00:00:30.0000000Z'), at('2026-05-02T00:00:31.0000000Z')];
    const addressOf = ({ snapshotOrVersion }: BlobState) =>
      snapshotOrVersion && 'snapshot' in snapshotOrVersion ? `${FROM}?snapshot=${snapshotOrVersion.snapshot}` : FROM;
    const overwritten = { ...CONTENT, etag: '0xV2', metadata: {}, lastModified: '2026-05-02T00:03:00.000Z' };
    const isOurs = (target: BlobState, named = [...twice, overwritten]) =>
      isMadeBy(RUN, ENTRY, target, named, addressOf, undefined);
    for (const one of twice) expect(isOurs(made(addressOf(one)))).toBe(true);
    // The base blob kept the content after its snapshots were taken, until it was overwritten.
    expect(isOurs(made(FROM))).toBe(true);
    expect(isOurs(made(FROM, { lastModified: '2026-05-02T00:03:01.000Z' }))).toBe(false);
    expect(isOurs(made(FROM), [])).toBe(false);
    const pending = made(addressOf(twice[1]!), { size: 0 }, { status: 'pending' });
    expect(isOurs(pending)).toBe(true);
  });

  test('F28: with all states of a name at hand, a copy is ours exactly if its source had the content then', () => {
    const step = fc.record({
      etag: fc.constantFrom('0xS1', '0xS2', '0xS3'),
      keptAs: fc.subarray(['snapshot', 'snapshot again', 'version'] as const, { minLength: 1 }),
      copiedFrom: fc.constantFrom('base', 'snapshot', 'snapshot again', 'version'),
    });
    const minute = (count: number, seconds = 0) =>
      new Date(Date.parse('2026-05-02T01:00:00Z') + count * 60_000 + seconds * 1000).toISOString();
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), fc.boolean(), (steps, isLastBase) => {
        const addressOf = ({ snapshotOrVersion }: BlobState) =>
          snapshotOrVersion === undefined ? FROM : `${FROM}?${JSON.stringify(snapshotOrVersion)}`;
        const states = steps.map(({ etag, keptAs }, index) => {
          const source = { ...ORIGINAL, etag };
          const base: BlobState = {
            ...CONTENT,
            ...{ etag: `0xV${index}`, lastModified: minute(index) },
            metadata: withRecord(ORIGINAL.metadata, recordOf(source, 'nightly-20260501T000000Z-bbbbbb'))!,
          };
          const kept = keptAs.map((how): BlobState => {
            const time = minute(index, how === 'snapshot' ? 20 : 30);
            return { ...base, snapshotOrVersion: how === 'version' ? { version: time } : { snapshot: time } };
          });
          return { base, kept, keptAs };
        });
        const named = states.flatMap(({ base, kept }, index) =>
          isLastBase && index === states.length - 1 ? [...kept, base] : kept,
        );
        for (const [index, { copiedFrom, etag }] of steps.entries()) {
          const { base, kept, keptAs } = states[index]!;
          const source = copiedFrom === 'base' ? base : kept[keptAs.indexOf(copiedFrom)];
          if (source === undefined || (copiedFrom === 'base' && index === steps.length - 1 && !isLastBase)) continue;
          const target = made(addressOf(source), { lastModified: minute(index, 40) });
          expect(isMadeBy(RUN, ENTRY, target, named, addressOf, undefined)).toBe(etag === ENTRY.etag);
        }
      }),
    );
  });

  it('is no blob that existed before, whichever writer has set its properties since', () => {
    const before = made(FROM);
    expect(isMadeBy(RUN, ENTRY, before, [CONTENT], () => FROM, before)).toBe(false);
    expect(isMadeBy(RUN, ENTRY, { ...before, etag: '0xT2', metadata: {} }, [CONTENT], () => FROM, before)).toBe(false);
    expect(isMadeBy(RUN, ENTRY, made(FROM, {}, { id: 'd' }), [CONTENT], () => FROM, before)).toBe(true);
    expect(isMadeBy(RUN, ENTRY, made(FROM), [CONTENT], () => FROM, SAME)).toBe(true);
  });

  it('is what the run that it retries has made, too', () => {
    const late = { startedAt: '2026-05-03T00:00:00.000Z' };
    expect(isMadeBy(late, ENTRY, made(FROM), [CONTENT], () => FROM, undefined)).toBe(false);
    const retry = { ...late, retryOf: 'nightly-20260502T000000Z-aaaaaa' };
    expect(isMadeBy(retry, ENTRY, made(FROM), [CONTENT], () => FROM, undefined)).toBe(true);
    // The run that it retries began first, whatever its id is.
    const odd = { startedAt: RUN.startedAt, retryOf: 'nightly-20260503T000000Z-aaaaaa' };
    expect(isMadeBy(odd, ENTRY, made(FROM), [CONTENT], () => FROM, undefined)).toBe(true);
    expect(isMadeBy({ ...RUN, retryOf: 'x' }, ENTRY, made(FROM), [CONTENT], () => FROM, undefined)).toBe(true);
    expect(isMadeBy({ ...late, retryOf: 'x' }, ENTRY, made(FROM), [CONTENT], () => FROM, undefined)).toBe(false);
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
  expect(isBrokenOff({ ...SAME, copy: { id: 'c', status: 'failed' } }, FROM)).toBe(false);
});

test('only a failed or aborted copy leaves remains', () => {
  const all = ['failed', 'aborted', 'pending', 'success'] as const;
  expect(all.map((status) => isLeftover(made(FROM, {}, { status })))).toEqual([true, true, false, false]);
  expect(isLeftover(SAME)).toBe(false);
});

test.each<[boolean, Record<string, string> | undefined, Record<string, string> | undefined]>([
  [true, undefined, undefined],
  [true, {}, undefined],
  [true, { a: '1', b: '2' }, { b: '2', a: '1' }],
  [false, { a: '1' }, undefined],
  [false, undefined, { a: '1' }],
  [false, { a: '1' }, { a: '2' }],
  [false, { a: '1', b: '2' }, { a: '1', b: '3' }],
  [false, { a: '1' }, { a: '1', b: '2' }],
  [false, { a: '1', b: '2' }, { a: '1', c: '2' }],
])('the same tags: %s, of %j and %j', (expected, one, other) => {
  expect(hasSameTags({ ...(one && { tags: one }) }, { ...(other && { tags: other }) })).toBe(expected);
});

describe('what is restored of a restore point', () => {
  const TASKS = ['images', 'tenant-1', 'table.orders', 'table.tenant1'];
  it.each<[string[], string[], string[]]>([
    [[], [], TASKS],
    [['images'], [], ['images']],
    [['*'], [], ['images', 'tenant-1']],
    [[], ['ORDERS'], ['table.orders']],
    [[], ['*'], ['table.orders', 'table.tenant1']],
    [['tenant-*'], ['tenant*'], ['tenant-1', 'table.tenant1']],
  ])('containers %j and tables %j', (containers, tables, wanted) => {
    expect(TASKS.filter((task) => isRestored({ containers, tables }, task))).toEqual(wanted);
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
    expect(decideRestore(ENTRY, SAME, task('merge'), false)).toEqual({
      action: 'fail',
      code: 'target-exists',
    });
    expect(decideRestore(ENTRY, { ...SAME, size: 9 }, task('replace'), false)).toEqual({ action: 'copy' });
  });
});
