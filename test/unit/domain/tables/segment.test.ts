import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { incompleteness, isListed } from '#domain/run/completeness.ts';
import { partPath, rangeKey } from '#domain/run/control-paths.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { byContainer, type ListedPart } from '#domain/run/placed-part.ts';
import { partEntries, reportOf } from '#domain/run/report.ts';
import { emptyTally, type Tally } from '#domain/run/tally.ts';
import {
  countSegment,
  coverRange,
  inKeyOrder,
  isSegment,
  type Segment,
  segmentOf,
  toBeRead,
  withSmallOnesJoined,
} from '#domain/tables/segment.ts';
import type { KeyBound, KeyRange } from '#domain/tables/table-key.ts';
import { Random } from '../../../support/builders/random.ts';
import { RUN } from '../../../support/builders/run-ref.ts';

const AT = '2026-05-02T00:00:00.000Z';
const NONE = { copied: 0, added: 0, changed: 0, bytes: 0 };
const segment = (range: KeyRange, more: Partial<Segment> = {}): Segment =>
  segmentOf({ status: 'copied', range, entities: 0, size: 0, files: [], readAt: AT, ...more });

/** Different places in the order of keys, in an order that nobody knows. */
const bounds: fc.Arbitrary<KeyBound[]> = fc.uniqueArray(
  fc.record(
    { partition: fc.string({ maxLength: 2 }), row: fc.string({ maxLength: 2 }) },
    { requiredKeys: ['partition'] },
  ),
  { maxLength: 12, selector: (bound) => JSON.stringify([bound.partition, bound.row]) },
);
const rangesOf = (cuts: KeyBound[]): KeyRange[] =>
  [...cuts, undefined].map((upTo, index) => ({
    ...(index > 0 && { after: cuts[index - 1]! }),
    ...(upTo && { upTo }),
  }));

/** Every way to spoil a list of stretches that cover all keys once. */
function spoiled<T>(all: T[], random: Random): T[][] {
  const at = random.below(all.length);
  return [[], all.toSpliced(at, 1), [...all, all[at]!], all.toSpliced(at, 0, all[at]!)];
}

describe('segments', () => {
  it('are put in the order of their keys, whatever order they come in', () => {
    fc.assert(
      fc.property(bounds, fc.integer(), (cuts, seed) => {
        const segments = rangesOf(cuts).map((range) => segment(range));
        const random = new Random(seed);
        expect(inKeyOrder(random.shuffled(segments))).toEqual(segments);
        for (const wrong of spoiled(segments, random)) {
          // With a single segment, nothing is left, and that is no cover either.
          expect(inKeyOrder(random.shuffled(wrong)), JSON.stringify(wrong.map(({ range }) => range))).toBeUndefined();
        }
      }),
    );
  });

  it('that go in a circle, or begin in the middle of another, cover nothing', () => {
    const [a, b] = [{ partition: 'a' }, { partition: 'b' }];
    expect(
      inKeyOrder([segment({ upTo: a }), segment({ after: a, upTo: b }), segment({ after: b, upTo: a })]),
    ).toBeUndefined();
    expect(inKeyOrder([segment({}), segment({ after: a })])).toBeUndefined();
    expect(inKeyOrder([segment({ upTo: a }), segment({ after: b })])).toBeUndefined();
    expect(inKeyOrder([segment({ upTo: a }), segment({ after: { ...a, row: '' } })])).toBeUndefined();
    expect(inKeyOrder([segment({ upTo: a }), segment({ upTo: b }), segment({ after: a })])).toBeUndefined();
  });

  it('are distinguished from outcomes of blobs', () => {
    expect(isSegment(segment({}) as Outcome & Segment)).toBe(true);
    const blob = { name: 'a', status: 'copied' as const, etag: '0x1', modified: AT, size: 1 };
    expect(isSegment(blob)).toBe(false);
    for (const key of ['range', 'files'] as const) {
      const { [key]: _, ...rest } = segment({});
      expect(isSegment(rest as Outcome), `without ${key}`).toBe(false);
    }
  });

  it('are named by their keys in a manifest, have no ETag, and are as old as their last read', () => {
    expect(segment({ upTo: { partition: 'a' } })).toMatchObject({ name: 'up to a/…', etag: '', modified: AT });
  });

  it('tell since when deletions are unknown: the earliest of all, once for each', () => {
    const tally = emptyTally('table.orders', 'd');
    const days = ['2026-05-03', '2026-05-01', '2026-05-02'].map((day) => `${day}T00:00:00.000Z`);
    for (const deletionsUnknownSince of days) {
      countSegment(tally, segment({}, { status: 'unchanged', entities: 2, deletionsUnknownSince }), NONE, false);
    }
    expect(tally).toMatchObject({
      ...{ listed: 6, unchanged: 6, deletionsUnknownSince: days[1] },
      problems: { 'deletions-not-compared': 3 },
    });
  });
});

describe('the counts of a part', () => {
  const countsOf = (one: Segment, read: Partial<typeof NONE>, dryRun: boolean) => {
    const tally = emptyTally('table.orders', 'd');
    for (let times = 0; times < 2; times++) countSegment(tally, one, { ...NONE, ...read }, dryRun);
    return tally;
  };
  const zero = emptyTally('table.orders', 'd');
  const read = { copied: 3, added: 1, changed: 2, deleted: 4, bytes: 30 };

  it('have every entity of a segment once: copied if this run read it, unchanged if not', () => {
    expect(countsOf(segment({}, { entities: 10, size: 100 }), read, false)).toEqual({
      ...{ ...zero, listed: 20, copied: 6, unchanged: 14, added: 2, changed: 4, deleted: 8 },
      ...{ listedBytes: 200, copiedBytes: 60 },
    });
  });

  it('have as planned, in a dry run, what a run would read', () => {
    expect(countsOf(segment({}, { entities: 10, size: 100 }), read, true)).toEqual({
      ...{ ...zero, listed: 20, planned: 6, unchanged: 14, added: 2, changed: 4, deleted: 8 },
      ...{ listedBytes: 200, plannedBytes: 60 },
    });
  });

  it('have nothing of a segment without entities', () => {
    expect(countsOf(segment({}), {}, false)).toEqual(zero);
  });

  it('have the keys of a range, and when it was read only if it was', () => {
    const tally = emptyTally('table.orders', 'd');
    coverRange(tally, {}, undefined);
    expect(tally).toEqual({ ...zero, keys: ['', ''] });
    expect(tally).not.toHaveProperty('window');
    coverRange(tally, {}, [AT, AT]);
    expect(tally.window).toEqual([AT, AT]);
  });

  it('have a segment that failed as one item, with its problem', () => {
    const failed = segment({}, { status: 'failed', entities: 10, size: 100 });
    expect(countsOf(failed, {}, false)).toEqual({ ...zero, listed: 2, failed: 2 });
    expect(countsOf({ ...failed, code: 'throttled' }, {}, false)).toEqual({
      ...{ ...zero, listed: 2, failed: 2, problems: { throttled: 2 } },
    });
  });
});

/** The part of a piece of work, as a listing shows it. */
function part(piece: number, range: KeyRange | undefined, more: Partial<Tally> = {}): ListedPart {
  const tally = { ...emptyTally('table.orders', 'd'), ...more };
  if (range) coverRange(tally, range, [AT, AT]);
  return { path: partPath(RUN, 'range', 'table.orders', rangeKey(piece)), tally };
}
const missing = (parts: ListedPart[], dryRun = false) => incompleteness(parts, dryRun);

describe('I1: the parts of a table', () => {
  it('make a restore point when they cover all keys once, in whatever order they were written', () => {
    fc.assert(
      fc.property(bounds, fc.integer(), (cuts, seed) => {
        const random = new Random(seed);
        const ranges = random.shuffled(rangesOf(cuts));
        const parts = ranges.map((range, piece) => part(piece, range));
        expect(missing(parts)).toBeUndefined();
        for (const wrong of spoiled(ranges, random)) {
          const others = wrong.map((range, piece) => part(piece, range));
          if (others.length === 0) continue;
          expect(missing(others), JSON.stringify(wrong)).toMatch(/^container table\.orders: /);
        }
      }),
    );
  });

  it('list all of the table once they cover its keys', () => {
    const isListedBy = (...parts: ListedPart[]) => byContainer(parts).every(([, own]) => isListed(own));
    const cut = { partition: 'a' };
    expect(isListedBy(part(0, { upTo: cut }))).toBe(false);
    expect(isListedBy(part(0, { upTo: cut }), part(1, { after: cut }))).toBe(true);
  });

  it('say what is wrong', () => {
    const [a, b] = [{ partition: 'a', row: '1' }, { partition: 'b' }];
    expect(missing([part(0, { upTo: a }), part(1, { after: b })])).toContain('a key range was not read');
    expect(missing([part(0, { upTo: a }), part(1, { after: a, upTo: b })])).toContain('the last keys were not read');
    expect(missing([part(0, { after: a })])).toContain('a key range was not read');
    expect(missing([part(0, undefined)])).toContain('the last keys were not read');
    expect(missing([part(0, { upTo: a }), part(1, { upTo: b }), part(2, { after: a })])).toContain(
      'parts 000000-range and 000001-range start with the same key',
    );
    expect(missing([part(0, {}), part(1, { after: a })])).toContain('more than once');
    const circle = [part(0, { upTo: a }), part(1, { after: a, upTo: b }), part(2, { after: b, upTo: a })];
    expect(missing(circle)).toMatch(/start with the same key|was not read|were not read/);
  });

  it('that hand all of their work on cover nothing, and harm nothing', () => {
    expect(missing([part(0, undefined), part(1, {})])).toBeUndefined();
  });

  it('have to add up, each by itself', () => {
    const counts = { listed: 5, copied: 2, unchanged: 2, failed: 1 };
    expect(missing([part(0, {}, counts)])).toBeUndefined();
    for (const key of ['listed', 'copied', 'unchanged', 'failed', 'planned'] as const) {
      const off = { ...emptyTally('', ''), ...counts };
      expect(missing([part(0, {}, { ...counts, [key]: off[key] + 1 })]), key).toContain('does not add up');
    }
    expect(missing([part(0, {}, { listed: 5, planned: 3, unchanged: 2 })], true)).toBeUndefined();
  });

  it('of one table make up for none of another', () => {
    const other = part(0, { upTo: { partition: 'a' } });
    const logs = { path: other.path.replace('orders', 'logs'), tally: { ...other.tally, container: 'table.logs' } };
    expect(missing([part(0, {}), logs])).toContain('container table.logs: the last keys');
  });

  it('are listed in the summary with what restores need of them', () => {
    const since = '2026-05-01T00:00:00.000Z';
    const [entry] = partEntries([part(3, {}, { listed: 2, copied: 2, sha256: 'ab', deletionsUnknownSince: since })]);
    expect(entry).toEqual({
      ...{ path: part(3, {}).path, container: 'table.orders', destination: 'd', sha256: 'ab' },
      ...{ copied: 2, unchanged: 0, skipped: 0, failed: 0, window: [AT, AT], deletionsUnknownSince: since },
    });
  });
});

describe('the report of a table', () => {
  const reportOn = (parts: ListedPart[], dryRun = false) =>
    reportOf({ ...RUN, dryRun }, parts, {
      ...{ status: 'succeeded', now: new Date(AT), finishedAt: new Date(AT), problems: [], requests: {} },
    });

  it('adds up entities, deletions and the time it took to read it', () => {
    const tally = (from: string, upTo: string): Partial<Tally> => ({
      ...{ listed: 3, copied: 1, unchanged: 2, deleted: 2, added: 1, window: [from, upTo] },
    });
    const [a, b, c] = ['01', '02', '03'].map((second) => `2026-05-02T00:00:${second}.000Z`) as [string, string, string];
    const parts = [
      { ...part(0, { upTo: { partition: 'a' } }), window: undefined },
      { ...part(1, { after: { partition: 'a' } }), window: undefined },
    ];
    Object.assign(parts[0]!.tally, tally(b, c));
    Object.assign(parts[1]!.tally, tally(a, b));
    const { containers, counts } = reportOn(parts);
    expect(counts).toEqual({ listed: 6, copied: 2, unchanged: 4, skipped: 0, failed: 0 });
    expect(containers[0]).toMatchObject({ container: 'table.orders', status: 'succeeded', window: [a, c] });
    expect(containers[0]!.counts).toMatchObject({ deleted: 4, added: 2 });
  });

  it('of a restore leaves out what was not asked for', () => {
    // A segment holds more than the keys that are wanted.
    const { containers, counts } = reportOn([part(0, {}, { listed: 5, copied: 2, unwanted: 3 })]);
    expect(counts.listed).toBe(2);
    expect(containers[0]!.counts.listed).toBe(2);
  });

  it('names the stretches that it lacks, and that deletions were not looked for', () => {
    const problems = { throttled: 2, 'deletions-not-compared': 7 };
    const { containers, problems: reported } = reportOn([part(0, {}, { listed: 2, failed: 2, problems })]);
    expect(containers[0]!.status).toBe('completed-with-failures');
    expect(reported.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^2 items of table orders: /),
      expect.stringMatching(/^table orders: compared for changes, not for deletions/),
    ]);
  });

  it('of a dry run counts what would be read', () => {
    const { counts } = reportOn([part(0, {}, { listed: 5, planned: 3, unchanged: 2 })], true);
    expect(counts).toMatchObject({ listed: 5, planned: 3, unchanged: 2, copied: 0 });
  });
});

describe('small segments', () => {
  const upTo = (entities: number) => ({ many: 8, entities, size: 1_000 });
  const sized = (sizes: number[]) =>
    rangesOf(sizes.slice(1).map((_, index) => ({ partition: String(index).padStart(3, '0') }))).map((range, index) =>
      segment(range, {
        entities: sizes[index]!,
        files: [{ path: `f${index}`, items: sizes[index]!, bytes: 1, sha256: 'x' }],
        readAt: `2026-05-02T00:00:${String(59 - (index % 50)).padStart(2, '0')}.000Z`,
      }),
    );

  it('of which there are many beside each other are put together, to be read as a whole', () => {
    const small = sized([50, ...Array<number>(9).fill(1), 50]);
    const joined = withSmallOnesJoined(small, upTo(20));
    expect(joined.map(({ status, files }) => [status, files.length])).toEqual([
      ['copied', 1],
      ['failed', 9],
      ['copied', 1],
    ]);
    expect(joined[1]).toMatchObject({
      readAt: small[9]!.readAt,
      range: { after: { partition: '000' }, upTo: { partition: '009' } },
    });
    expect(withSmallOnesJoined(sized([50, 6, 6, 3, 1, 1, 1, 1, 1, 50]), upTo(20))).toHaveLength(3);
    // Fewer are left as they are, and so are those that are many entities together.
    expect(withSmallOnesJoined(sized([50, 1, 1, 1, 1, 1, 1, 1, 50]), upTo(20))).toHaveLength(9);
    expect(withSmallOnesJoined(sized([50, 6, 6, 3, 1, 1, 1, 1, 2, 50]), upTo(20))).toHaveLength(10);
    expect(withSmallOnesJoined(sized(Array<number>(40).fill(6)), upTo(20))).toHaveLength(40);
  });

  it('are not put together with one that failed, and not if they have much text together', () => {
    const small = sized(Array<number>(20).fill(1));
    small[9] = toBeRead(small[9]!);
    const filesOf = (segments: Segment[]) => segments.map(({ files }) => files.length);
    expect(filesOf(withSmallOnesJoined(small, upTo(100)))).toEqual([9, 1, 10]);
    const large = sized(Array<number>(20).fill(1)).map((each) => ({ ...each, size: 100 }));
    expect(filesOf(withSmallOnesJoined(large, upTo(100)))).toEqual([10, 10]);
  });

  it('cover the same keys when they are put together, with the same files', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 60 }),
        fc.nat({ max: 100 }),
        fc.integer({ min: 2, max: 8 }),
        fc.nat(),
        (sizes, enough, many, failed) => {
          const segments = sized(sizes).map((each, index) => (index === failed % 70 ? toBeRead(each) : each));
          const joined = withSmallOnesJoined(segments, { ...upTo(enough), many });
          expect(inKeyOrder(joined)).toEqual(joined);
          expect(joined[0]!.range.after).toBeUndefined();
          expect(joined.at(-1)!.range.upTo).toBeUndefined();
          expect(joined.flatMap(({ files }) => files)).toEqual(segments.flatMap(({ files }) => files));
        },
      ),
    );
  });
});
