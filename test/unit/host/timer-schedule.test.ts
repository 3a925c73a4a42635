import { expect, test } from 'vitest';
import { resolveSettings } from '../../../host/settings/app-settings.ts';
import { parseSchedule } from '../../../host/triggers/timer-schedule.ts';

const after = (expression: string, time: string) =>
  parseSchedule(expression, 'It').after(new Date(time))?.toISOString();

test.each([
  ['0 30 23 * * 1-4', '2026-01-01T23:30:00.000Z', '2026-01-05T23:30:00.000Z'],
  ['0 30 23 * * 1-4', '2026-01-01T23:29:59.999Z', '2026-01-01T23:30:00.000Z'],
  ['*/15 * * * * *', '2026-01-01T00:00:14.500Z', '2026-01-01T00:00:15.000Z'],
  // Both fields of days must fit, as NCRONTAB has it: Friday the 13th.
  ['0 0 0 13 * 5', '2026-01-01T00:00:00.000Z', '2026-02-13T00:00:00.000Z'],
  ['5 4 * * *', '2026-01-01T04:05:00.000Z', '2026-01-02T04:05:00.000Z'],
  // In summer time too, it is UTC.
  ['0 0 1 29 3 *', '2026-01-01T00:00:00.000Z', '2026-03-29T01:00:00.000Z'],
])('%s after %s is %s', (expression, time, next) => {
  expect(after(expression, time)).toBe(next);
});

test('an invalid schedule is an error with its function', () => {
  for (const expression of ['', 'daily', '0 0 0 * *  * * *', '0 61 * * * *', '00:05:00']) {
    expect(() => parseSchedule(expression, 'Function "f"'), expression).toThrow(/Function "f" has the schedule/);
  }
});

test('replaces names by their settings', () => {
  expect(resolveSettings('%A% and %B_C%', 'It', { A: '1', B_C: '2' })).toBe('1 and 2');
  expect(() => resolveSettings('%MISSING%', 'Function "f"', {})).toThrow(/Function "f" .*"MISSING"/);
});
