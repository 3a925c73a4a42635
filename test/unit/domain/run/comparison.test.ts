import { expect, it, test } from 'vitest';
import { addComparison, noComparison, stillInSource } from '#domain/run/comparison.ts';

test('a comparison counts nothing at first, since each baseline and in all', () => {
  expect(noComparison(2)).toEqual({ changed: 0, deleted: 0, skipped: 0, failed: 0, notSelected: 0, lost: [0, 0, 0] });
});

it('adds up over the parts of a container, number by number', () => {
  const sum = noComparison(0);
  addComparison(sum, { changed: 1, deleted: 2, skipped: 3, failed: 4, notSelected: 5, lost: [6, 7, 8] });
  addComparison(sum, { changed: 10, deleted: 20, skipped: 30, failed: 40, notSelected: 50, lost: [60, 70, 80] });
  expect(sum).toEqual({ changed: 11, deleted: 22, skipped: 33, failed: 44, notSelected: 55, lost: [66, 77, 88] });
});

test('the source still has what was skipped or failed, and not what was deleted or is no longer selected', () => {
  const counts = { ...noComparison(0), deleted: 1, notSelected: 2, skipped: 3, failed: 4 };
  expect(stillInSource(counts)).toBe(7);
});
