import { expect, test } from 'vitest';
import { timesWithin } from '#domain/run/schedule.ts';
import { ScheduleTimes } from '#functions/watch/schedule-times.ts';

const DAY = 24 * 3_600_000;
const START = Date.parse('2026-03-20T10:00:00Z');

test.each([
  ['0 30 2 * * *', 'Europe/Berlin'],
  ['0 0 */7 * * 1-5', 'America/New_York'],
  ['0 0 0 1 1 *', 'UTC'],
])('the times of %s in %s are the same, however often they are asked for', (schedule, zone) => {
  const times = new ScheduleTimes();
  for (let hour = 0; hour < 20 * 24; hour += 5) {
    const to = new Date(START + hour * 3_600_000);
    const from = new Date(to.getTime() - 8 * DAY);
    expect(times.of(schedule, zone, from, to)).toEqual(timesWithin(schedule, zone, { from, to, most: 3_000 }));
  }
});

test('times that are too many are not known, also if time passes', () => {
  const times = new ScheduleTimes();
  const ask = (days: number) =>
    times.of('0 * * * * *', 'UTC', new Date(START), new Date(START + days * DAY))?.times.length;
  expect(ask(2)).toBe(2_880);
  expect(ask(3)).toBeUndefined();
  expect(ask(3)).toBeUndefined();
});

test('a clock that was set back is asked again', () => {
  const times = new ScheduleTimes();
  const ask = (from: number, to: number) =>
    times.of('0 0 0 * * *', 'UTC', new Date(START + from * DAY), new Date(START + to * DAY))?.times.length;
  expect(ask(0, 9)).toBe(9);
  expect(ask(-5, 2)).toBe(7);
  expect(ask(0, 2)).toBe(2);
});
