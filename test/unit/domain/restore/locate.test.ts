import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { BlobState, SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { recordOf, withRecord } from '#domain/copying/record.ts';
import { holderKey, holds, isArchived, locate, mayHoldEntry } from '#domain/restore/locate.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const ENTRY: Outcome = {
  name: 'a.txt',
  status: 'copied',
  etag: '0xS1',
  modified: '2026-05-01T10:00:00.000Z',
  size: 10,
  vaultEtag: '0xV1',
};

/** A copy in the vault of the source version with this ETag, or one without a record. */
function copyOf(etag: string | undefined, more: Partial<BlobState> = {}): BlobState {
  const metadata =
    etag === undefined ? {} : withRecord({}, recordOf(blobState({ etag }), 'nightly-20260501T000000Z-bbbbbb'))!;
  return blobState({ etag: '0xV9', metadata, ...more });
}

const kept = fc.constantFrom<(SnapshotOrVersion | undefined)[]>(
  undefined,
  { snapshot: 't1' },
  { snapshot: 't2' },
  { version: 'v1' },
);
const copyStatus = fc.constantFrom('success', 'pending', 'failed', 'aborted' as const);
const candidate = fc.record({
  of: fc.constantFrom('0xS1', '0xS2', undefined),
  etag: fc.constantFrom('0xV1', '0xV2'),
  size: fc.constantFrom(0, 10, 11),
  type: fc.constantFrom('block' as const, 'page' as const),
  tier: fc.constantFrom('Hot', 'Archive', undefined),
  kept,
  status: fc.option(copyStatus, { nil: undefined }),
});
const candidates = fc.array(candidate, { maxLength: 8 });
type Candidate = typeof candidate extends fc.Arbitrary<infer T> ? T : never;

function made({ of, etag, size, type, tier, kept: which, status }: Candidate): BlobState {
  return copyOf(of, {
    ...{ etag, size, type },
    ...(tier !== undefined && { tier }),
    ...(which && { snapshotOrVersion: which }),
    ...(status && { copy: { id: 'c', status } }),
  });
}

/** By the words of docs/vault-format.md, told from how the candidate was made and not by reading it. */
function isRight({ of, etag, size, type, status }: Candidate): boolean {
  if (size !== ENTRY.size || type !== 'block') return false;
  if (status !== undefined && status !== 'success') return false;
  return etag === ENTRY.vaultEtag || of === ENTRY.etag;
}

describe('which of a blob and what is kept of it holds the content', () => {
  test('it is a right one, whenever there is one, and never another', () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const found = all.map(made);
        const holder = locate(ENTRY, found);
        expect(holder !== undefined).toBe(all.some(isRight));
        if (holder) expect(isRight(all[found.indexOf(holder)]!)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('content that can be read at once comes first, then the very blob that the entry names, then the base blob', () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const found = all.map(made);
        const holder = locate(ENTRY, found);
        if (!holder) return;
        const right = found.filter((_, index) => isRight(all[index]!));
        const readable = right.filter(({ tier }) => tier !== 'Archive');
        if (readable.length > 0) expect(holder.tier).not.toBe('Archive');
        const first = readable.length > 0 ? readable : right;
        const named = first.filter(({ etag }) => etag === ENTRY.vaultEtag);
        if (named.length > 0) expect(holder.etag).toBe(ENTRY.vaultEtag);
        const best = named.length > 0 ? named : first;
        if (best.some((blob) => blob.snapshotOrVersion === undefined)) expect(holder.snapshotOrVersion).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  test('what could not be read gives way to each of the others, one after another', () => {
    fc.assert(
      fc.property(candidates, (all) => {
        const found = all.map(made);
        const left = new Map(found.filter((_, index) => isRight(all[index]!)).map((blob) => [holderKey(blob), blob]));
        const unreadable = new Set<string>();
        for (let next = locate(ENTRY, found); next; next = locate(ENTRY, found, unreadable)) {
          expect(left.delete(holderKey(next))).toBe(true);
          unreadable.add(holderKey(next));
        }
        expect(left.size).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('a record that names the version of the entry does not hide the blob that the entry names', () => {
    const forged = copyOf('0xS1', { etag: '0xV2' });
    const named = copyOf(undefined, { etag: '0xV1', snapshotOrVersion: { snapshot: 't1' } });
    expect(locate(ENTRY, [forged, named])).toBe(named);
    const misnamed = copyOf('0xS7', { etag: '0xV1' });
    expect(locate(ENTRY, [forged, misnamed])).toBe(misnamed);
  });

  it('an MD5 property decides nothing', () => {
    const entry = { ...ENTRY, md5: 'AAAA' };
    const other = copyOf('0xS1', { contentMd5: 'BBBB' });
    expect(locate(entry, [other])).toBe(other);
    expect(locate(entry, [copyOf('0xS2', { contentMd5: 'AAAA' })])).toBeUndefined();
  });

  it('a record in any case of its keys is read', () => {
    const metadata = Object.fromEntries(
      Object.entries(copyOf('0xS1').metadata!).map(([key, value]) => [key.toUpperCase(), value]),
    );
    expect(holds(ENTRY, blobState({ metadata }))).toBe(true);
  });

  it('a page blob is looked for as one', () => {
    expect(holds({ ...ENTRY, type: 'page' }, copyOf('0xS1', { type: 'page' }))).toBe(true);
    expect(holds({ ...ENTRY, type: 'page' }, copyOf('0xS1'))).toBe(false);
  });

  it('an entry without an ETag in the vault does not take whatever has none', () => {
    const { vaultEtag: _, ...entry } = ENTRY;
    expect(holds(entry, copyOf(undefined))).toBe(false);
  });
});

test('where an entry is looked for, in order: readable, then named by it, then the base blob', () => {
  const [hot, archived] = [{ tier: 'Hot' }, { tier: 'Archive' }];
  const [named, other] = [{ etag: '0xV1' }, { etag: '0xV2' }];
  const [base, snapshot] = [{}, { snapshotOrVersion: { snapshot: 't1' } }];
  const inOrder = [hot, archived].flatMap((tier) =>
    [named, other].flatMap((etag) => [base, snapshot].map((which) => copyOf('0xS1', { ...tier, ...etag, ...which }))),
  );
  const shuffled = [5, 2, 7, 0, 3, 6, 1, 4].map((index) => inOrder[index]!);
  for (let left = inOrder; left.length > 0; left = left.slice(1)) {
    expect(locate(ENTRY, left.toReversed())).toBe(left[0]);
    expect(
      locate(
        ENTRY,
        shuffled.filter((blob) => left.includes(blob)),
      ),
    ).toBe(left[0]);
  }
});

test.each<[string, boolean, BlobState]>([
  ['the blob that the entry names', true, copyOf(undefined, { etag: '0xV1' })],
  ['a copy of its version', true, copyOf('0xS1')],
  ['both, of another length: it may be all that is left', true, copyOf('0xS1', { etag: '0xV1', size: 3 })],
  ['what an interrupted copy left', true, copyOf('0xS1', { copy: { id: 'c', status: 'failed' } })],
  ['a copy of another version', false, copyOf('0xS2')],
  ['a blob of another tool', false, copyOf(undefined)],
])('I5: deleting %s may remove the content of an entry: %s', (_what, expected, blob) => {
  expect(mayHoldEntry(ENTRY, blob)).toBe(expected);
});

test('a base blob, each of its snapshots and versions, and another blob of that name have keys of their own', () => {
  const all = [undefined, { snapshot: 't1' }, { snapshot: 't2' }, { version: 't1' }].flatMap((which) =>
    ['0xV1', '0xV2'].map((etag) => holderKey(copyOf('0xS1', { etag, ...(which && { snapshotOrVersion: which }) }))),
  );
  expect(new Set(all).size).toBe(8);
  expect(holderKey(copyOf('0xS1', { size: 7 }))).toBe(holderKey(copyOf('0xS2')));
});

test('only archived content must be rehydrated before it can be read', () => {
  expect(['Archive', 'Cold', 'Hot', undefined].map((tier) => isArchived(blobState(tier ? { tier } : {})))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
