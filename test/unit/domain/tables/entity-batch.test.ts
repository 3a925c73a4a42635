import fc from 'fast-check';
import { expect, it } from 'vitest';
import { batchesOf } from '#domain/tables/entity-batch.ts';

const entities = fc.array(
  fc.record({
    key: fc.record({ partition: fc.constantFrom('a', 'b', 'c'), row: fc.nat({ max: 300 }).map(String) }),
    size: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 1024 * 1024 })),
  }),
  { maxLength: 600, size: 'max' },
);

it('cuts into transactions as the service takes them, and loses nothing', () => {
  fc.assert(
    fc.property(entities, fc.boolean(), (given, sorted) => {
      if (sorted) given.sort((a, b) => (a.key.partition < b.key.partition ? -1 : 1));
      const batches = [...batchesOf(given, ({ size }) => size)];
      expect(batches.flat()).toEqual(given);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(100);
        expect(new Set(batch.map(({ key }) => key.partition)).size).toBe(1);
        expect(new Set(batch.map(({ key }) => key.row)).size).toBe(batch.length);
        expect(batch.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(4 * 1024 * 1024 - 4096);
      }
      // None is cut before it has to be.
      for (const [index, batch] of batches.entries()) {
        const next = batches[index + 1]?.[0];
        if (next === undefined || next.key.partition !== batch[0]!.key.partition || batch.length === 100) continue;
        if (batch.some(({ key }) => key.row === next.key.row)) continue;
        const together = batch.reduce((sum, { size }) => sum + size, next.size);
        expect(together).toBeGreaterThan(4 * 1024 * 1024 - 16_384);
      }
    }),
  );
});

it('an entity that is larger than a transaction may be goes by itself', () => {
  const of = (row: string, size: number) => ({ key: { partition: 'a', row }, size });
  const batches = [...batchesOf([of('1', 10), of('2', 5 * 1024 * 1024), of('3', 10)], ({ size }) => size)];
  expect(batches.map((batch) => batch.map(({ key }) => key.row))).toEqual([['1'], ['2'], ['3']]);
});

it('takes a hundred at a time', () => {
  const given = Array.from({ length: 250 }, (_, n) => ({ key: { partition: 'a', row: `${n}` } }));
  expect([...batchesOf(given, () => 1)].map(({ length }) => length)).toEqual([100, 100, 50]);
});
