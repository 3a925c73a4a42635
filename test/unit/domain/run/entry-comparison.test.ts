import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Gone } from '#domain/run/comparison.ts';
import { EntryComparison } from '#domain/run/entry-comparison.ts';
import type { BlobEntry, NoLongerHeld, Outcome } from '#domain/run/outcome.ts';

const MODIFIED = '2026-05-01T10:00:00.000Z';
const AT = Date.parse(MODIFIED);

const entry = (name: string, more: Partial<BlobEntry> = {}): BlobEntry => ({
  ...{ name, etag: '0x1', modified: MODIFIED, size: 10 },
  ...more,
});
const outcome = (name: string, status: Outcome['status'], more: Partial<Outcome> = {}) =>
  ({ ...entry(name), status, ...more }) as Outcome;
const line = (name: string, more: Pick<NoLongerHeld, 'code' | 'cause'>): NoLongerHeld => ({
  ...{ name, status: 'no-longer-held', etag: '0x1', modified: MODIFIED, size: 10 },
  ...more,
});

/** The comparison of entries with outcomes, of a job that selects every name but those that end in `.tmp`. */
function compare(entries: BlobEntry[], outcomes: Outcome[], by: { gone?: Gone; baselines?: number[] } = {}) {
  const comparison = new EntryComparison(entries, {
    isSelected: (name) => !name.endsWith('.tmp'),
    ...{ baselines: [], ...by },
  });
  comparison.see(outcomes);
  return comparison.finish();
}

const NOTHING = { changed: 0, deleted: 0, skipped: 0, failed: 0, notSelected: 0, lost: [0] };

describe('I10: what became of a blob of the restore point before', () => {
  it.each<[string, string, Outcome | undefined, NoLongerHeld[], Partial<typeof NOTHING>]>([
    ['held, at the same version', 'a', outcome('a', 'unchanged'), [], {}],
    ['copied once more, at the same version', 'a', outcome('a', 'copied'), [], {}],
    ['held at another version', 'a', outcome('a', 'copied', { etag: '0x2' }), [], { changed: 1, lost: [1] }],
    ['not listed any more', 'a', undefined, [line('a', { code: 'deleted' })], { deleted: 1, lost: [1] }],
    ['not backed up any more', 'a.tmp', undefined, [line('a.tmp', { code: 'not-selected' })], { notSelected: 1 }],
    [
      'deleted after it was listed',
      'a',
      outcome('a', 'failed', { code: 'source-vanished' }),
      [line('a', { code: 'deleted' })],
      { deleted: 1, lost: [1] },
    ],
    [
      'skipped',
      'a',
      outcome('a', 'skipped', { code: 'source-archived' }),
      [line('a', { code: 'skipped', cause: 'source-archived' })],
      { skipped: 1, lost: [1] },
    ],
    [
      'failed, and the source may still have it: it is owed, not lost',
      'a',
      outcome('a', 'failed', { code: 'throttled' }),
      [line('a', { code: 'failed', cause: 'throttled' })],
      { failed: 1 },
    ],
    [
      'failed, though the job no longer selects it',
      'a.tmp',
      outcome('a.tmp', 'failed', { code: 'throttled' }),
      [line('a.tmp', { code: 'failed', cause: 'throttled' })],
      { failed: 1 },
    ],
    ['failed without a reason on record', 'a', outcome('a', 'failed'), [line('a', { code: 'failed' })], { failed: 1 }],
  ])('%s', (_what, name, seen, lines, found) => {
    expect(compare([entry(name)], seen ? [seen] : [])).toStrictEqual({ lines, found: { ...NOTHING, ...found } });
  });

  it.each<[Gone, Partial<typeof NOTHING>]>([
    [{ code: 'deleted' }, { deleted: 2, lost: [2] }],
    [{ code: 'not-selected' }, { notSelected: 2 }],
    [{ code: 'failed', cause: 'access-denied-source' }, { failed: 2 }],
  ])('everything in a container of which the run holds nothing: %j', (gone, found) => {
    expect(compare([entry('a'), entry('b.tmp')], [], { gone })).toStrictEqual({
      lines: [line('a', gone), line('b.tmp', gone)],
      found: { ...NOTHING, ...found },
    });
  });

  it('what a retry takes over says more than why the retry could not work on the container', () => {
    const taken = [
      outcome('a', 'unchanged'),
      outcome('b', 'skipped', { code: 'source-archived' }),
      outcome('c', 'failed', { code: 'source-vanished' }),
    ];
    for (const gone of [{ code: 'failed', cause: 'throttled' }, { code: 'deleted' }] as Gone[]) {
      expect(
        compare(
          ['a', 'b', 'c', 'd'].map((name) => entry(name)),
          taken,
          { gone },
        ).lines,
      ).toStrictEqual([
        line('b', { code: 'skipped', cause: 'source-archived' }),
        line('c', { code: 'deleted' }),
        line('d', gone),
      ]);
    }
  });

  it('a blob that the restore point before did not hold is not compared', () => {
    const outcomes = [outcome('new', 'copied'), outcome('other', 'failed', { code: 'throttled' })];
    expect(compare([], outcomes)).toEqual({ lines: [], found: NOTHING });
  });

  it('a line repeats the version that the restore point before held, and nothing else of its entry', () => {
    const held = entry('a', { etag: '0x7', size: 7, tier: 'Cool', md5: 'AA', tags: { a: '1' }, vaultEtag: '0xV' });
    const { lines } = compare([held], [outcome('a', 'skipped', { etag: '0x8', size: 8, code: 'source-archived' })]);
    const version = { etag: '0x7', modified: MODIFIED, size: 7 };
    expect(lines).toEqual([{ ...line('a', { code: 'skipped', cause: 'source-archived' }), ...version }]);
  });
});

describe('what counts as lost', () => {
  it('since a baseline is only what the source had before it; the last number is of everything', () => {
    const entries = [
      entry('old', { modified: '2026-04-01T00:00:00.000Z' }),
      entry('at', { modified: MODIFIED }),
      entry('new', { modified: '2026-06-01T00:00:00.000Z' }),
      entry('held'),
    ];
    const outcomes = [
      outcome('old', 'copied', { etag: '0x2' }),
      outcome('new', 'skipped', { code: 'source-archived' }),
      outcome('held', 'unchanged'),
    ];
    // Of the moment of a baseline, it is not certain that its run saw it.
    expect(compare(entries, outcomes, { baselines: [AT, AT + 1] }).found.lost).toEqual([1, 2, 3]);
  });

  it('since every baseline is a blob whose time cannot be read', () => {
    expect(compare([entry('a', { modified: 'yesterday' })], [], { baselines: [0, AT] }).found.lost).toEqual([1, 1, 1]);
  });
});

test('the order in which outcomes come does not matter, nor how they are divided into parts', () => {
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e.tmp', 'f'), { minLength: 1 });
  const seen = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e.tmp', 'g'),
      status: fc.constantFrom('copied', 'unchanged', 'skipped', 'failed' as const),
      etag: fc.constantFrom('0x1', '0x2'),
    }),
    { selector: ({ name }) => name },
  );
  fc.assert(
    fc.property(names, seen, fc.infiniteStream(fc.nat()), fc.nat(6), (held, ways, chance, cut) => {
      const outcomes = ways.map(({ name, status, etag }) => outcome(name, status, { etag }));
      const shuffled = outcomes
        .map((each) => ({ each, at: chance.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ each }) => each);
      const pieces = new EntryComparison(
        held.map((name) => entry(name)),
        { isSelected: (name) => !name.endsWith('.tmp'), baselines: [] },
      );
      pieces.see(shuffled.slice(0, cut));
      pieces.see(shuffled.slice(cut));
      const whole = compare(
        held.map((name) => entry(name)),
        outcomes,
      );
      expect(pieces.finish()).toEqual(whole);
      expect(whole.lines.map(({ name }) => name)).toEqual(
        held.filter((name) => whole.lines.some((each) => each.name === name)),
      );
    }),
  );
});

test('a blob is held if any of its outcomes is: a later part may settle what an earlier one could not', () => {
  const failed = outcome('a', 'failed', { code: 'throttled' });
  for (const outcomes of [
    [failed, outcome('a', 'copied')],
    [outcome('a', 'copied'), failed],
  ]) {
    expect(compare([entry('a')], outcomes)).toEqual({ lines: [], found: NOTHING });
  }
});
