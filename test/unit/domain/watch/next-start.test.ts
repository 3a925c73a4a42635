import { expect, test } from 'vitest';
import { nextStart } from '#domain/watch/next-start.ts';

const NOW = new Date('2026-05-20T12:00:00Z');
const next = (schedule: string | undefined, pause?: { until?: string }) => {
  const begun = pause && { at: '2026-05-19T12:00:00Z', reason: 'a move', ...pause };
  return nextStart(schedule, 'Europe/Berlin', begun, NOW)?.toISOString();
};

test('the next start is that of the schedule in its time zone', () => {
  expect(next('0 0 2 * * *')).toBe('2026-05-21T00:00:00.000Z');
  expect(next(undefined)).toBeUndefined();
});

test('a pause with an end puts it off, and one without an end leaves none', () => {
  expect(next('0 0 2 * * *', { until: '2026-05-25T12:00:00Z' })).toBe('2026-05-26T00:00:00.000Z');
  expect(next('0 0 2 * * *', {})).toBeUndefined();
});

test('a pause that is over puts nothing off', () => {
  expect(next('0 0 2 * * *', { until: '2026-05-20T11:00:00Z' })).toBe('2026-05-21T00:00:00.000Z');
});
