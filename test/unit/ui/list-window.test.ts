import { describe, expect, it } from 'vitest';
import { listWindow } from '../../../ui/model/list-window.ts';

describe('the rows of a list that are drawn', () => {
  it.each([
    ['a short list', 10, 0, { from: 0, to: 10, above: 0, below: 0 }],
    ['the top of a long list', 100_000, 0, { from: 0, to: 45, above: 0, below: 99_955 * 32 }],
    ['the middle', 100_000, 32_000, { from: 980, to: 1045, above: 980 * 32, below: 98_955 * 32 }],
    ['the end', 100_000, 100_000 * 32, { from: 99_980, to: 100_000, above: 99_980 * 32, below: 0 }],
    ['nothing', 0, 0, { from: 0, to: 0, above: 0, below: 0 }],
    ['scrolled beyond the top', 100, -50, { from: 0, to: 45, above: 0, below: 55 * 32 }],
  ])('are few in %s', (_, count, top, drawn) => expect(listWindow(count, 32, top, 800)).toEqual(drawn));

  it('add up to the height of all rows, up to what browsers draw', () => {
    for (const top of [0, 999, 50_000, 3_199_999]) {
      const { from, to, above, below } = listWindow(100_000, 32, top, 777);
      expect(above + (to - from) * 32 + below).toBe(3_200_000);
    }
    const { above, below, from, to } = listWindow(10_000_000, 32, 0, 800);
    expect(above + (to - from) * 32 + below).toBeLessThanOrEqual(15_000_000);
  });
});
