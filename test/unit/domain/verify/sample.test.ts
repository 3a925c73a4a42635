import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PartEntry } from '#domain/run/run.ts';
import { sampleOf } from '#domain/verify/sample.ts';

const partsOf = (sizes: number[]) =>
  sizes.map(
    (size, index) => ({ path: `part-${index}`, container: 'data', copied: size, unchanged: 0, failed: 3 }) as PartEntry,
  );

it('picks so many different blobs, only such as there are, and the same ones again', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40)), fc.integer({ min: 1, max: 60 }), fc.string(), (sizes, wanted, seed) => {
      const picked = sampleOf(partsOf(sizes), wanted, seed);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const all = [...picked].flatMap(([path, numbers]) => numbers.map((number) => `${path} ${number}`));
      expect(new Set(all).size).toBe(all.length);
      expect(all).toHaveLength(Math.min(wanted, total));
      for (const [path, numbers] of picked) {
        const size = sizes[Number(path.split('-')[1])]!;
        expect(numbers.every((number) => number >= 0 && number < size)).toBe(true);
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      }
      expect(sampleOf(partsOf(sizes), wanted, seed)).toEqual(picked);
    }),
  );
});

it('picks every blob about as often, whatever the size of its part', () => {
  const times = new Map<string, number>();
  const sizes = [1, 30, 9];
  for (let seed = 0; seed < 2_000; seed++) {
    for (const [path, numbers] of sampleOf(partsOf(sizes), 4, String(seed))) {
      for (const number of numbers) times.set(`${path} ${number}`, (times.get(`${path} ${number}`) ?? 0) + 1);
    }
  }
  // 200 times each on average, give or take five standard deviations.
  expect(times.size).toBe(40);
  for (const [which, count] of times) expect(Math.abs(count - 200), which).toBeLessThan(70);
});

it('picks no entities of tables: the numbers are those of blobs', () => {
  const table = { path: 'range', container: 'table.orders', copied: 1_000, unchanged: 0, failed: 0 } as PartEntry;
  const [first, second] = partsOf([4, 3]);
  const picked = sampleOf([table, first!, table, second!], 100, 'seed');
  expect([...picked]).toEqual([
    ['part-0', [0, 1, 2, 3]],
    ['part-1', [0, 1, 2]],
  ]);
});
