import { expect, test } from 'vitest';
import { about, clock, dayBounds, duration, exact, relative, short } from '../../../ui/model/time.ts';

const NOW = new Date('2026-11-30T12:00:00.000Z');
const [S, MIN, H, D] = [1, 60, 3600, 86_400];

test.each([
  [-10 * S, 'just now'],
  [10 * S, 'in a moment'],
  [-46 * S, '1 min ago'],
  [-59 * MIN, '59 min ago'],
  [-59.9 * MIN, '60 min ago'],
  [-H, '1 h ago'],
  [2 * H + 26 * MIN, 'in 2 h 26 min'],
  [-(2 * H + 59.7 * MIN), '3 h ago'],
  [-21 * H, '21 h ago'],
  [-35 * H, '35 h ago'],
  [-2 * D, '2 days ago'],
  [-59 * D, '59 days ago'],
  [-61 * D, '2 months ago'],
  [-730 * D, '2 years ago'],
])('%d seconds from now is "%s"', (seconds, words) => {
  expect(relative(new Date(NOW.getTime() + seconds * 1000), NOW)).toBe(words);
});

test.each([
  [0.4, 'less than 1 s'],
  [4, '4 s'],
  [59.6, '60 s'],
  [667.1, '11 min 7 s'],
  [3600, '1 h'],
  [7500, '2 h 5 min'],
  [3 * D + 2 * H, '3 d 2 h'],
  [Number.NaN, ''],
  [-1, ''],
])('%d seconds take "%s"', (seconds, words) => {
  expect(duration(seconds)).toBe(words);
});

test.each([
  [12, 'less than a minute'],
  [240, 'about 4 min'],
  [8760, 'about 2 h 26 min'],
])('%d seconds left are "%s"', (seconds, words) => {
  expect(about(seconds)).toBe(words);
});

test('times are in the zone that is asked for, on both sides of a change of the clocks', () => {
  expect(short(new Date('2026-10-25T00:30:00Z'), NOW, 'Europe/Berlin')).toBe('Sun 25 Oct, 02:30');
  expect(short(new Date('2026-10-25T01:30:00Z'), NOW, 'Europe/Berlin')).toBe('Sun 25 Oct, 02:30');
  expect(short(new Date('2026-10-25T01:30:00Z'), NOW, 'UTC')).toBe('Sun 25 Oct, 01:30');
});

test('a time of long ago has its year', () => {
  expect(short(new Date('2025-11-29T23:30:00Z'), NOW, 'UTC')).toBe('Sat 29 Nov 2025, 23:30');
});

test('an exact time has its second and zone', () => {
  expect(exact(NOW, 'UTC')).toBe('Mon 30 Nov 2026, 12:00:00 UTC');
  expect(clock(NOW, 'UTC')).toBe('12:00:00');
});

test('what is no time is unknown', () => {
  expect(exact(new Date('garbage'), 'UTC')).toBe('unknown');
  expect(relative(new Date('garbage'), NOW)).toBe('');
});

test.each([
  ['2026-11-27', 'Europe/Berlin', '2026-11-26T23:00:00.000Z', 24],
  // Clocks change: a day of 23 hours, and one of 25.
  ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z', 23],
  ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z', 25],
  ['2026-04-05', 'Australia/Lord_Howe', '2026-04-04T13:00:00.000Z', 24.5],
  ['2026-11-27', 'Pacific/Kiritimati', '2026-11-26T10:00:00.000Z', 24],
  ['2026-11-27', 'UTC', '2026-11-27T00:00:00.000Z', 24],
])('the day %s in %s begins at %s', (day, timeZone, begins, hours) => {
  const { from, to } = dayBounds(day, timeZone)!;
  expect(from.toISOString()).toBe(begins);
  expect((to.getTime() - from.getTime()) / 3_600_000).toBe(hours);
});
