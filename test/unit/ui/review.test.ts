import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../ui/model/answer.ts';
import type { RestoreChoice } from '../../../ui/model/restore-choice.ts';
import {
  blobOptions,
  countedWords,
  failuresOf,
  isFree,
  nowOf,
  placeWords,
  startWords,
  toType,
  withPreviewed,
} from '../../../ui/model/review.ts';

type Page = Answer<'previewRestore'>;
const NONE = { items: 0, bytes: 0, new: 0, replaced: 0, unchanged: 0, skipped: 0, failed: 0, rehydrated: 0 };

function page(counts: Partial<typeof NONE>, more: Partial<Page> = {}, failures: Record<string, number> = {}): Page {
  const totals = { ...NONE, ...counts };
  return {
    restorePoint: { id: 'nightly-20261129T233000Z-k3f9q2', time: '2026-11-29T23:30:00.000Z' },
    ...{ job: 'nightly', account: 'SOURCE', existing: 'if-different', totals },
    containers: [{ container: 'images', target: 'images', isNew: false, ...totals, failures, problem: null }],
    ...{ tables: [], leftOut: [], examples: { replaced: [], failed: [] }, next: null },
    ...more,
  };
}

describe('a preview', () => {
  it('adds up its answers, container by container', () => {
    const first = page(
      { items: 3, bytes: 10, new: 2, failed: 1 },
      { next: 'more', leftOut: [{ code: 'target-protected', message: '', hint: '' }] },
      { 'content-archived': 1 },
    );
    const second = page({ items: 2, bytes: 5, replaced: 1, failed: 1 }, {}, { 'content-archived': 1 });
    const third = page(
      { items: 1, new: 1 },
      { containers: [{ ...second.containers[0]!, container: 'docs', target: 'docs', ...NONE, failures: {} }] },
    );
    const all = withPreviewed(withPreviewed(withPreviewed(null, first), second), third);
    expect(all.totals).toEqual({ ...NONE, items: 6, bytes: 15, new: 3, replaced: 1, failed: 2 });
    expect(all.containers.map(({ container, items }) => [container, items])).toEqual([
      ['images', 5],
      ['docs', 0],
    ]);
    expect(failuresOf(all)).toEqual([{ code: 'content-archived', count: 2 }]);
    expect(all.leftOut).toHaveLength(1);
    expect(all.next).toBeNull();
  });

  it('says how far it has counted', () => {
    expect(countedWords(page({ items: 352, bytes: 1_200_000_000 }), 352)).toBe('352 blobs counted, 1.2 GB to copy');
    const open = page({ items: 20_000 }, { next: 'more' });
    expect(countedWords(open, 1_200_000)).toBe('20,000 blobs of at most 1,200,000 counted so far');
    expect(countedWords(open, null)).toBe('20,000 blobs counted so far');
  });

  it('knows a free place: every container would be made', () => {
    const [container] = page({}).containers;
    expect(isFree(page({}))).toBe(false);
    expect(isFree(page({}, { containers: [{ ...container!, isNew: true }] }))).toBe(true);
    expect(isFree(page({}, { containers: [{ ...container!, isNew: true }, container!] }))).toBe(false);
  });
});

describe('what is there now', () => {
  it('counts what each choice would do', () => {
    const now = nowOf(page({ items: 4812, new: 312, unchanged: 4460, replaced: 40 }));
    expect(now).toEqual({ missing: 312, same: 4460, differ: 40, fail: 0 });
    expect(blobOptions(now, true).map(({ existing, words }) => [existing, words])).toEqual([
      ['skip', 'Restore the 312 that are missing, leave the 40 that differ'],
      ['if-different', 'Restore the 312 that are missing, replace the 40 that differ'],
      ['fail', 'Restore the 312 that are missing, report all others as failed'],
    ]);
    expect(blobOptions(now, true)[2]!.note).toBe('4,500 blobs would fail as target-exists.');
  });

  it('says one as one', () => {
    const [skip, replace] = blobOptions({ missing: 1, same: 0, differ: 1, fail: 0 }, true);
    expect(skip!.words).toBe('Restore the 1 that is missing, leave the one that differs');
    expect(replace!.words).toBe('Restore the 1 that is missing, replace the one that differs');
  });
});

describe('the button', () => {
  it.each<[string, Page, string | null]>([
    ['number and place', page({ new: 312 }), 'Restore 312 blobs to SOURCE / images'],
    ['nothing to do', page({ unchanged: 5 }), null],
    ['what is not counted', page({ new: 5 }, { next: 'more' }), 'Restore at least 5 blobs to SOURCE / images'],
    [
      'nothing yet, and not counted',
      page({ unchanged: 5 }, { next: 'more' }),
      'Restore at least 0 blobs to SOURCE / images',
    ],
    [
      'a table',
      page({}, { containers: [], tables: [{ table: 'orders', target: 'ordersRestored', entities: 1 }] }),
      'Restore 1 entity to SOURCE / ordersRestored',
    ],
    [
      'several places',
      page({ new: 2 }, { tables: [{ table: 'orders', target: 'orders', entities: 1200 }] }),
      'Restore 2 blobs and 1,200 entities to SOURCE, 2 places',
    ],
  ])('says %s', (_, preview, words) => expect(startWords(preview)).toBe(words));

  it('names the account alone if nothing is restored', () =>
    expect(placeWords(page({}, { containers: [] }))).toBe('SOURCE'));
});

describe('what has to be typed', () => {
  const choice: RestoreChoice = {
    ...{
      point: 'p',
      what: { kind: 'some', containers: ['images'], tables: [] },
      existing: 'if-different',
      rehydrate: 'none',
    },
    where: { isOriginal: true, account: '', container: '', prefix: '', table: '' },
  };
  const tables = [{ table: 'orders', target: 'orders', entities: 3 }];

  it.each<[string, Partial<RestoreChoice>, Page, string | undefined]>([
    [
      'nothing for another place',
      { where: { ...choice.where, isOriginal: false } },
      page({ replaced: 5000 }),
      undefined,
    ],
    ['nothing if nothing is replaced', { existing: 'skip' }, page({ new: 5000 }), undefined],
    ['nothing for 1,000 replaced blobs', {}, page({ replaced: 1000 }), undefined],
    ['the job for more', {}, page({ replaced: 1001 }), 'nightly'],
    ['the job while not all are counted', {}, page({ replaced: 1 }, { next: 'more' }), 'nightly'],
    ['the job for everything', { what: { kind: 'everything' }, existing: 'skip' }, page({ new: 1 }), 'nightly'],
    ['the table that is replaced', { existing: 'replace' }, page({}, { tables }), 'orders'],
    ['the table that is merged', { existing: 'merge' }, page({}, { tables }), 'orders'],
    ['the job for several tables', { existing: 'replace' }, page({}, { tables: [...tables, ...tables] }), 'nightly'],
    ['nothing for a table that is not replaced', { existing: 'skip' }, page({}, { tables }), undefined],
  ])('is %s', (_, part, preview, text) => expect(toType({ ...choice, ...part }, 'nightly', preview)?.text).toBe(text));
});
