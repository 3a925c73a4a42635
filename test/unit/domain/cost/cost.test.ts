import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { billingClassOf } from '#domain/cost/billing-class.ts';
import { type Cost, costOf, storageCost, sumOf } from '#domain/cost/cost.ts';
import { EXAMPLE_PRICES } from '#domain/cost/example-prices.ts';
import type { PriceTable } from '#domain/cost/price-table.ts';
import { addUsage, type Moved, type Usage, withPriority } from '#domain/cost/usage.ts';

const GB = 2 ** 30;
const nanos = (amount: number) => Math.round(amount * 1e9);
/** Every price is known. */
const PRICES: PriceTable = { ...EXAMPLE_PRICES, transfer: 0.02 };

const anyMoved: fc.Arbitrary<Moved> = fc.record(
  {
    from: fc.constantFrom('Hot', 'Cool', 'Cold', 'Archive'),
    to: fc.constantFrom('', 'Hot', 'Cool', 'Cold', 'Archive'),
    blobs: fc.integer({ min: 1, max: 1_000_000 }),
    bytes: fc.integer({ min: 0, max: 2 ** 48 }),
  },
  { requiredKeys: ['from', 'blobs', 'bytes'] },
);
const anyRequests = fc.dictionary(
  fc.constantFrom('ListBlobs', 'PutBlob', 'GetBlob', 'GetBlobProperties', 'DeleteBlob', 'QueryEntities', 'CopyBlob'),
  fc.nat({ max: 10_000_000 }),
);
/** A usage as runs have it: each blob was copied, or read, by a request of its own. */
const anyUsage: fc.Arbitrary<Usage> = fc
  .record({ requests: anyRequests, moved: fc.array(anyMoved, { maxLength: 5 }) })
  .map(({ requests, moved }) => {
    const count = (of: Moved[]) => of.reduce((sum, { blobs }) => sum + blobs, 0);
    const own = {
      CopyBlobFromURL: count(moved.filter(({ to }) => to !== undefined)),
      GetBlob: count(moved.filter(({ to }) => to === undefined)),
    };
    return addUsage({ requests, moved }, { requests: own, moved: [] });
  });

describe('costs', () => {
  it('add up: the total is the sum of its parts, to the last digit', () => {
    fc.assert(
      fc.property(anyUsage, (usage) => {
        const { total, parts } = costOf(usage, PRICES);
        expect(nanos(total)).toBe(parts.reduce((sum, { amount }) => sum + nanos(amount), 0));
        for (const { quantity, price, per, amount } of parts) {
          expect(Math.abs(nanos((quantity * price) / per) - nanos(amount))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('of two usages together are those of each, but for the rounding of each part', () => {
    fc.assert(
      fc.property(anyUsage, anyUsage, (one, other) => {
        const [a, b, both] = [costOf(one, PRICES), costOf(other, PRICES), costOf(addUsage(one, other), PRICES)];
        const off = Math.abs(nanos(both.total) - nanos(a.total) - nanos(b.total));
        expect(off).toBeLessThanOrEqual(a.parts.length + b.parts.length);
      }),
    );
  });

  it('never fall if more is used, or if a price rises', () => {
    fc.assert(
      fc.property(anyUsage, anyUsage, fc.double({ min: 1, max: 3, noNaN: true }), (usage, more, factor) => {
        const { total } = costOf(usage, PRICES);
        expect(costOf(addUsage(usage, more), PRICES).total).toBeGreaterThanOrEqual(total);
        const cool = { ...PRICES.tiers.Cool, retrieval: 0.01 * factor };
        const dearer = { ...PRICES, list: 0.05 * factor, tiers: { ...PRICES.tiers, Cool: cool } };
        expect(costOf(usage, dearer).total).toBeGreaterThanOrEqual(total);
      }),
    );
  });

  it('name what has no price as unknown, and never count it as 0', () => {
    const nothing: PriceTable = { currency: 'USD', asOf: '2026-09-30', region: 'r', source: 's', tiers: {} };
    fc.assert(
      fc.property(anyUsage, (usage) => {
        const known = costOf(usage, PRICES);
        const { total, parts, unknown } = costOf(usage, nothing);
        expect(total).toBe(0);
        expect(parts.every(({ what }) => what === 'delete operations')).toBe(true);
        const named = (cost: Cost) => [...cost.parts, ...cost.unknown].map(({ what, tier }) => `${what} ${tier}`);
        expect(named({ total, parts, unknown }).sort()).toEqual(named(known).sort());
      }),
    );
  });
});

test('a rehydration is a read of the archive tier, its copy a read of the hot tier, and high priority has its prices', () => {
  const moved = [{ from: 'Archive', to: '', blobs: 1000, bytes: 10 * GB }];
  const usage: Usage = { requests: { SetBlobTier: 1000, CopyBlobFromURL: 1000 }, moved };
  const of = (priority: 'standard' | 'high') =>
    costOf(withPriority(usage, priority), PRICES).parts.map(({ what, tier, amount }) => [what, tier, amount]);
  const copies = [
    ['write operations', 'Hot', 0.005],
    ['read operations', 'Hot', 0.0004],
    ['data transfer between regions', undefined, 0.2],
  ];
  expect(of('standard')).toEqual([['rehydrations', 'Archive', 0.5], ['data retrieval', 'Archive', 0.2], ...copies]);
  expect(costOf(usage, PRICES).unknown).toEqual([
    { what: expect.stringContaining('early deletion'), why: expect.any(String) },
  ]);
  expect(of('high')).toEqual([
    ['rehydrations of high priority', 'Archive', 5],
    ['data retrieval of high priority', 'Archive', 1],
    ...copies,
  ]);
});

test('blobs without a tier, changes of tiers and unknown operations are no part of the total', () => {
  const moved = [{ from: '', to: '', blobs: 3, bytes: GB }];
  const requests = { CopyBlob: 3, SetBlobTier: 2, 'PUT something': 1 };
  const { parts, unknown } = costOf({ requests, moved }, PRICES);
  expect(parts.map(({ what }) => what)).toEqual(['data transfer between regions']);
  expect(unknown.map(({ what, quantity }) => [what, quantity])).toEqual([
    ['read operations', 3],
    ['data retrieval', GB],
    ['write operations', 3],
    ['changes of tiers', 2],
    ['PUT something', 1],
    ['further reads of asynchronous copies', 3],
  ]);
  expect(storageCost({ requests, moved }, PRICES)).toMatchObject({ total: 0, parts: [], unknown: [{ quantity: GB }] });
});

test('sums have no errors of binary fractions', () => {
  expect(sumOf([0.1, 0.2])).toBe(0.3);
});

/** Every operation that the adapter names, as its source has them. */
test('every operation that the app sends has a class', () => {
  const files = ['blobs/operation-name.ts', 'tables/table-operation-name.ts'];
  const names = files.flatMap((file) => {
    const text = readFileSync(new URL(`../../../../src/storage/azure/${file}`, import.meta.url), 'utf8');
    return [...text.matchAll(/'([A-Z][a-z]+[A-Z][A-Za-z]+)'/g)].map(([, name]) => name!);
  });
  expect(names.length).toBeGreaterThan(35);
  expect(names.filter((name) => billingClassOf(name) === 'unknown')).toEqual([]);
});
