import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitRange } from '#activities/tables/split-range.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { EntityKey, KeyRange } from '#domain/tables/table-key.ts';
import { NAME_ORDERS } from '../../../../prove/memory/name-orders.ts';
import { LivingTables, traitsOf } from '../../../../prove/tables/living-tables.ts';
import { Random } from '../../../support/builders/random.ts';
import { RUN } from '../../../support/builders/run-ref.ts';

type Order = (a: string, b: string) => number;

const ORDERS: Record<string, Order> = {
  'by UTF-16': NAME_ORDERS.utf16,
  'by code point': (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)),
  'without case': (a, b) => NAME_ORDERS.utf16(a.toLowerCase(), b.toLowerCase()) || NAME_ORDERS.utf16(a, b),
  'with a language in mind': (a, b) => a.localeCompare(b, 'de') || NAME_ORDERS.utf16(a, b),
  backwards: (a, b) => NAME_ORDERS.utf16(b, a),
};

async function split(keys: EntityKey[], range: KeyRange = {}, pieces = 8, compare: Order = NAME_ORDERS.utf16) {
  const tables = new LivingTables(traitsOf({ compare }));
  tables.create('orders');
  for (const key of keys) tables.write('orders', key);
  const account = tables.account('SOURCE');
  const job = { name: RUN.job, source: { account: 'SOURCE' }, destination: { account: 'VAULT' } };
  const asked: object[] = [];
  const deps = {
    configuration: { jobs: [job], archives: [] },
    blobs: () => ({}),
    tables: () => ({
      ...account,
      readEntities: (table: string, query: Parameters<typeof account.readEntities>[1]) => {
        asked.push(query);
        return account.readEntities(table, query);
      },
    }),
  } as unknown as Dependencies;
  const { ranges } = await splitRange(deps, { run: RUN, container: 'table.orders', range, pieces });
  const within = ({ after, upTo }: KeyRange, key: EntityKey) =>
    (!after || tables.isBehind(key, after)) && (!upTo || !tables.isBehind(key, upTo));
  return { ranges: ranges!, asked, within };
}

/** Each begins where the one before it ends, and all together are the range. */
function expectChain(ranges: KeyRange[], { after, upTo }: KeyRange): void {
  expect(ranges[0]!.after).toEqual(after);
  expect(ranges.at(-1)!.upTo).toEqual(upTo);
  for (const [index, range] of ranges.slice(1).entries()) {
    expect(range.after).toBeDefined();
    expect(range.after).toEqual(ranges[index]!.upTo);
  }
}

const char = fc.constantFrom(...'abcABC019 -_~', 'ä', 'Z', '日', '\ud7ff', '\ue000', '\uffee', '\u{1f600}');
const text = fc.string({ unit: char, maxLength: 5 });
const keys = fc.oneof(
  fc.array(fc.record({ partition: text, row: text }), { maxLength: 60 }),
  fc.array(text, { maxLength: 60 }).map((rows) => rows.map((row) => ({ partition: 'p', row }))),
  fc.array(text, { maxLength: 60 }).map((all) => all.map((partition) => ({ partition, row: '' }))),
);
const sorted = (all: EntityKey[]) =>
  all.sort((a, b) => NAME_ORDERS.utf16(a.partition, b.partition) || NAME_ORDERS.utf16(a.row, b.row));

describe('a key range that is split', () => {
  it('I1: a split covers each key once, after at most 64 requests', async () => {
    await fc.assert(
      fc.asyncProperty(keys, fc.integer({ min: 2, max: 8 }), fc.nat(), fc.nat(), async (all, pieces, from, to) => {
        const cuts = sorted([...all]);
        const [low, high] = [from % (cuts.length + 2), to % (cuts.length + 2)].sort((a, b) => a - b) as [
          number,
          number,
        ];
        // An end of the table, or a key, with or without its row.
        const [after, upTo] = [cuts[low - 1], cuts[high]];
        const range = {
          ...(after && { after }),
          ...(upTo && { upTo: high % 2 ? upTo : { partition: upTo.partition } }),
        };
        const { ranges, asked, within } = await split(all, range, pieces);
        expectChain(ranges, range);
        expect(asked.length).toBeLessThanOrEqual(64);
        expect(ranges.length).toBeLessThanOrEqual(pieces);
        for (const key of all) {
          const times = ranges.filter((each) => within(each, key)).length;
          expect(times, JSON.stringify([key, ranges])).toBe(within(range, key) ? 1 : 0);
        }
      }),
      { numRuns: 600 },
    );
  });

  it.each(Object.keys(ORDERS).slice(1))(
    'I1: is all there, each key once, where the service sorts %s',
    async (order) => {
      await fc.assert(
        fc.asyncProperty(keys, fc.integer({ min: 2, max: 8 }), async (all, pieces) => {
          const { ranges, asked, within } = await split(all, {}, pieces, ORDERS[order]);
          expectChain(ranges, {});
          expect(asked.length).toBeLessThanOrEqual(64);
          for (const key of all) {
            expect(ranges.filter((each) => within(each, key)).length, JSON.stringify([key, ranges])).toBe(1);
          }
        }),
        { numRuns: 200 },
      );
    },
  );

  it('a split asks for one key at a time, within the key range', async () => {
    const range = { after: { partition: 'b' }, upTo: { partition: 'q' } };
    const all = [...'abcdefghijklmnopqrstuvwxyz'].map((partition) => ({ partition, row: '1' }));
    const { asked, ranges } = await split(all, range);
    expect(ranges.length).toBe(8);
    for (const query of asked) {
      expect(query).toMatchObject({ limit: 1, keysOnly: true });
      const { after, upTo } = query as KeyRange;
      expect(after!.partition >= 'b' && upTo!.partition <= 'q').toBe(true);
    }
  });

  it('a split sends at most 64 requests, even if no guess helps', async () => {
    const alike = (length: number, end: string) => `${'a'.repeat(length)}${end}`;
    const all = Array.from({ length: 50 }, (_, n) => ({ partition: alike(60, '1'), row: alike(500, String(n)) }));
    all.push({ partition: alike(60, '2'), row: '' });
    const range = { upTo: { partition: 'z' } };
    const { asked, ranges } = await split(all, range);
    expect(asked.length).toBeGreaterThan(55);
    expect(asked.length).toBeLessThanOrEqual(64);
    expectChain(ranges, range);
  });

  it('a key range stays whole if it holds no key or one', async () => {
    expect((await split([])).ranges).toEqual([{}]);
    expect((await split([{ partition: 'a', row: '1' }])).ranges).toEqual([{}]);
    const range = { after: { partition: 'b' } };
    expect((await split([{ partition: 'a', row: '1' }], range)).ranges).toEqual([range]);
  });
});

const random = new Random(7);
const COUNT = 2_000;
const hex = () => random.below(16).toString(16);
const guid = () => [8, 4, 4, 4, 12].map((length) => Array.from({ length }, hex).join('')).join('-');
/** Newest first: what time-ordered tables are often keyed by. */
const reverseTicks = () => String(2_517_455_999_999_999_999n - BigInt(random.below(2 ** 31)) * 10_000_000n);
const WAYS: Record<string, () => string> = {
  letters: () => random.letters(8),
  GUIDs: guid,
  'padded numbers': () => String(random.below(100_000_000)).padStart(12, '0'),
  numbers: () => String(random.below(100_000_000)),
  'reverse ticks': reverseTicks,
  times: () => new Date(Date.UTC(2020, 0, 1) + random.below(2 ** 31) * 60).toISOString(),
  'names with one beginning': () => `customer-orders-archive-2026-${guid()}`,
  'long common beginnings': () => `${'tenant/'.replaceAll('/', ':').repeat(9)}${guid()}`,
  'letters of many languages': () =>
    Array.from({ length: 6 }, () => String.fromCharCode(0x100 + random.below(0x4000))).join(''),
};

describe('even keys are split evenly', () => {
  it.each(Object.keys(WAYS))('partitions: %s', async (way) => {
    const all = Array.from({ length: COUNT }, () => ({ partition: WAYS[way]!(), row: '' }));
    const { ranges, within } = await split(all);
    const tasks = ranges.map((range) => all.filter((key) => within(range, key)).length / COUNT);
    expect(ranges.length, String(tasks)).toBeGreaterThan(2);
    expect(Math.max(...tasks), String(tasks)).toBeLessThanOrEqual(0.5);
  });

  it.each(Object.keys(WAYS))('rows of one partition: %s', async (way) => {
    const all = Array.from({ length: COUNT }, () => ({ partition: 'p', row: WAYS[way]!() }));
    const { ranges, within } = await split(all);
    const tasks = ranges.map((range) => all.filter((key) => within(range, key)).length / COUNT);
    expect(ranges.length, String(tasks)).toBeGreaterThan(2);
    expect(Math.max(...tasks), String(tasks)).toBeLessThanOrEqual(0.5);
  });

  it.each(Object.keys(WAYS))('the rest of one partition of several: %s', async (way) => {
    const all = Array.from({ length: COUNT }, () => ({ partition: 'large', row: WAYS[way]!() }));
    const others = Array.from({ length: 20 }, (_, index) => ({ partition: `small${index}`, row: '1' }));
    const after = sorted([...all])[COUNT / 4]!;
    const range = { after, upTo: { partition: 'lars' } };
    const { ranges, within } = await split([...all, ...others], range);
    expectChain(ranges, range);
    const left = all.filter((key) => within(range, key));
    const tasks = ranges.map((each) => left.filter((key) => within(each, key)).length / left.length);
    expect(Math.max(...tasks), String(tasks)).toBeLessThanOrEqual(0.6);
  });

  it('a large partition is split from the small ones beside it', async () => {
    const all = Array.from({ length: COUNT }, (_, n) => ({
      partition: n % 10 ? 'large' : random.letters(3),
      row: String(n).padStart(6, '0'),
    }));
    const { ranges, within } = await split(all);
    expect(ranges.length).toBeGreaterThan(4);
    const holding = ranges.filter((range) => all.some((key) => key.partition === 'large' && within(range, key)));
    expect(holding).toHaveLength(1);
  });
});
