import { describe, expect, it, test } from 'vitest';
import { scheduleProblem } from '#domain/run/schedule.ts';
import { numbersIn, scheduleWords } from '#domain/run/schedule-words.ts';
import { nextTimes } from '#domain/watch/next-start.ts';

describe('a schedule in words', () => {
  it.each([
    ['0 30 23 * * *', 'every day at 23:30'],
    ['0 0 4 * * 1-5', 'Monday to Friday at 04:00'],
    ['0 0 4 * * mon-fri', 'Monday to Friday at 04:00'],
    ['15 0 4 * * SAT,SUN', 'Saturday and Sunday at 04:00:15'],
    ['0 0 6,18 * * *', 'every day at 06:00 and 18:00'],
    ['0 0 */6 * * *', 'every day at 00:00, 06:00, 12:00 and 18:00'],
    ['0 0 * * * *', 'every hour'],
    ['0 15 * * * *', 'every hour at minute 15'],
    ['0 5,35 * * * *', 'every hour at minutes 5 and 35'],
    ['0 */5 * * * *', 'every 5 minutes'],
    ['0 * * * * *', 'every minute'],
    ['0 */15 8-17 * * 1-5', 'every 15 minutes from 08:00 to 17:59, Monday to Friday'],
    ['0 */10 1-23/2 * * *', 'every 10 minutes in the hours 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21 and 23'],
    ['0 0 3 1 * *', 'on day 1 of each month at 03:00'],
    ['0 0 3 1,15 1,7 *', 'on days 1 and 15 of January and July at 03:00'],
    ['0 0 3 1-7 * SUN', 'on days 1 to 7 of each month, only Sunday at 03:00'],
    ['0 0 3 * DEC *', 'every day in December at 03:00'],
    ['0 */7 * * * *', 'every hour at minutes 0, 7, 14, 21, 28, 35, 42, 49 and 56'],
  ])('%s is %s', (expr, words) => {
    expect(scheduleProblem(expr)).toBeUndefined();
    expect(scheduleWords(expr)).toBe(words);
  });
});

test('the numbers of a field are those at which the schedule occurs', () => {
  const FIELDS = ['*', '*/7', '3', '5-9', '10-50/15', '1,2,30-32', '40-59/6', '59', '0', '8,4'];
  for (const field of FIELDS) {
    const minutes = nextTimes(`0 ${field} 12 20 5 *`, 'UTC', new Date('2026-05-20T11:59:59Z'), 60)
      .filter((time) => time < new Date('2026-05-20T13:00:00Z'))
      .map((time) => time.getUTCMinutes());
    expect(numbersIn(field, [0, 59]), field).toEqual(minutes);
  }
});
