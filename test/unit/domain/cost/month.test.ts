import { expect, test } from 'vitest';
import { occurrencesInMonth } from '#domain/cost/month.ts';

const from = new Date('2026-11-20T12:00:00Z');

test.each([
  ['0 30 23 * * *', 30],
  ['0 30 23 * * 1-5', 21],
  ['0 0 * * * *', 720],
  ['0 */5 * * * *', 8640],
  // Counted one by one, these would take minutes.
  ['* * * * * *', 2_592_000],
  ['0 0 0 29 2 *', 0],
])('%s occurs %i times in 30 days', (schedule, times) => {
  expect(occurrencesInMonth(schedule, 'Europe/Berlin', from)).toBe(times);
});
