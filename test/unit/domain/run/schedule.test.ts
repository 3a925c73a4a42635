import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  hostSchedule,
  newestWithin,
  nextAfter,
  scheduleProblem,
  timesWithin,
  timeZoneProblem,
} from '#domain/run/schedule.ts';
import { wantedTimes } from '../../functions/wanted-times.ts';

const at = (text: string) => new Date(text);
const BERLIN = 'Europe/Berlin';

/** The next `count` occurrences, as ISO texts without milliseconds. */
function occurrences(expr: string, zone: string, after: string, count: number): string[] {
  const found: string[] = [];
  for (let from = at(after); found.length < count; ) {
    from = nextAfter(expr, zone, from)!;
    found.push(from.toISOString().replace('.000Z', 'Z'));
  }
  return found;
}

describe('nextAfter', () => {
  it('goes by the wall clock of the zone, summer and winter', () => {
    expect(occurrences('0 30 23 * * *', BERLIN, '2026-07-01T00:00:00Z', 1)).toEqual(['2026-07-01T21:30:00Z']);
    expect(occurrences('0 30 23 * * *', BERLIN, '2026-12-01T00:00:00Z', 1)).toEqual(['2026-12-01T22:30:00Z']);
    expect(occurrences('0 30 23 * * *', 'Asia/Kolkata', '2026-12-01T00:00:00Z', 1)).toEqual(['2026-12-01T18:00:00Z']);
    expect(occurrences('0 0 12 * * *', 'Pacific/Chatham', '2026-04-03T12:00:00Z', 2)).toEqual([
      '2026-04-03T22:15:00Z',
      '2026-04-04T23:15:00Z',
    ]);
    expect(occurrences('5 0 0 * * *', 'UTC', '2026-04-03T12:00:00Z', 1)).toEqual(['2026-04-04T00:00:05Z']);
  });

  it('is strictly after', () => {
    expect(occurrences('0 0 4 * * *', 'UTC', '2026-04-03T04:00:00Z', 1)).toEqual(['2026-04-04T04:00:00Z']);
    expect(occurrences('0 0 4 * * *', 'UTC', '2026-04-03T03:59:59.999Z', 1)).toEqual(['2026-04-03T04:00:00Z']);
  });

  it('wants both day and day of week', () => {
    // The next 13th that is a Friday after May 2026.
    expect(occurrences('0 0 0 13 * 5', 'UTC', '2026-05-01T00:00:00Z', 1)).toEqual(['2026-11-13T00:00:00Z']);
  });

  it('comes once at the end of the gap when its time is left out', () => {
    const spring = '2026-03-28T12:00:00Z';
    expect(occurrences('0 30 2 * * *', BERLIN, spring, 2)).toEqual(['2026-03-29T01:00:00Z', '2026-03-30T00:30:00Z']);
    expect(occurrences('0 30 2,14 * * *', BERLIN, spring, 3)).toEqual([
      '2026-03-28T13:30:00Z',
      '2026-03-29T01:00:00Z',
      '2026-03-29T12:30:00Z',
    ]);
  });

  it('comes at the end of a gap that ends at midnight, by the day before it', () => {
    const noon = '2027-03-27T12:00:00Z';
    for (const zone of ['America/Nuuk', 'America/Scoresbysund']) {
      for (const expr of ['0 30 23 * 3,10 *', '0 30 23 27 3 *', '0 0 23 * * 6', '0 15,45 23 * * *']) {
        expect(occurrences(expr, zone, noon, 1), expr).toEqual(['2027-03-28T01:00:00Z']);
        expect(newestWithin(expr, zone, new Date(noon), new Date('2027-03-28T02:00:00Z'))).toEqual(
          new Date('2027-03-28T01:00:00Z'),
        );
      }
      // Once, together with a time at the end of the gap.
      expect(occurrences('0 0 0,23 * * *', zone, noon, 2)).toEqual(['2027-03-28T01:00:00Z', '2027-03-29T00:00:00Z']);
      expect(occurrences('0 30 23 28 3 *', zone, noon, 1)).toEqual(['2027-03-29T00:30:00Z']);
      // Schedules with steps follow the clock.
      expect(occurrences('0 */30 23 * * *', zone, noon, 1)).toEqual(['2027-03-29T00:00:00Z']);
    }
  });

  it.each(['America/Nuuk', 'America/Scoresbysund', 'America/Havana', 'Asia/Beirut', 'America/Santiago'])(
    'comes every day of a year in %s when the clock first shows its time',
    (zone) => {
      for (const [hour, minute] of [
        [23, 30],
        [23, 0],
        [0, 0],
        [0, 30],
        [1, 30],
        [22, 59],
      ] as const) {
        const [first, ...wanted] = wantedTimes(zone, [hour, minute, 0], 2027).map((time) => new Date(time));
        const found = timesWithin(`0 ${minute} ${hour} * * *`, zone, { from: first!, to: wanted.at(-1)!, most: 400 });
        expect(found?.times, `${hour}:${minute}`).toEqual(wanted);
      }
    },
  );

  it('comes once when its time comes twice, also asked from in between', () => {
    for (const from of [
      '2026-11-01T04:00:00Z',
      '2026-11-01T05:30:00Z',
      '2026-11-01T05:45:00Z',
      '2026-11-01T06:15:00Z',
    ]) {
      const found = occurrences('0 30 1 * * *', 'America/New_York', from, 1);
      expect(found).toEqual([from < '2026-11-01T05:30' ? '2026-11-01T05:30:00Z' : '2026-11-02T06:30:00Z']);
    }
    expect(occurrences('0 30 2,14 * * *', BERLIN, '2026-10-24T22:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00Z',
      '2026-10-25T13:30:00Z',
    ]);
  });

  it('keeps a steady beat over both changes when it goes by the clock', () => {
    for (const start of ['2026-03-29T00:00:00Z', '2026-10-24T23:00:00Z']) {
      const times = occurrences('0 */30 * * * *', BERLIN, start, 8).map((time) => at(time).getTime());
      expect(new Set(times.slice(1).map((time, index) => time - times[index]!))).toEqual(new Set([30 * 60_000]));
    }
  });
});

describe('newestWithin', () => {
  const within = (expr: string, from: string, to: string) =>
    newestWithin(expr, BERLIN, at(from), at(to))?.toISOString().replace('.000Z', 'Z');

  it('counts the end of the range and not its beginning', () => {
    const nightly = (from: string, to: string) => within('0 30 23 * * *', `2026-07-01T${from}Z`, `2026-07-01T${to}Z`);
    expect(nightly('21:00:00', '21:30:00')).toBe('2026-07-01T21:30:00Z');
    expect(nightly('21:30:00', '22:30:00')).toBeUndefined();
    expect(nightly('20:30:00', '21:29:59')).toBeUndefined();
    expect(nightly('00:00:00', '23:00:00')).toBe('2026-07-01T21:30:00Z');
  });

  it('finds the last of many', () => {
    expect(within('0 30 23 * * *', '2020-01-01T00:00:00Z', '2026-07-01T12:00:00Z')).toBe('2026-06-30T21:30:00Z');
    expect(within('0 * * * * *', '2026-01-01T00:00:00Z', '2026-07-01T12:00:00.999Z')).toBe('2026-07-01T12:00:00Z');
    expect(within('0 0 4 1 1 *', '2020-01-01T00:00:00Z', '2026-07-01T12:00:00Z')).toBe('2026-01-01T03:00:00Z');
  });

  it('is the last one that a walk from one to the next finds', () => {
    const moment = fc.date({ min: at('2026-01-01T00:00:00Z'), max: at('2026-12-31T00:00:00Z'), noInvalidDate: true });
    const expr = fc.constantFrom('0 30 2 * * *', '0 */20 1-3 * * *', '7 0 0,12 * * 1-5', '0 0 0 31 * *');
    fc.assert(
      fc.property(expr, moment, fc.integer({ min: 1, max: 20 * 86_400_000 }), (expr, from, length) => {
        const to = new Date(from.getTime() + length);
        let last: Date | undefined;
        for (let next = nextAfter(expr, BERLIN, from); next && next <= to; next = nextAfter(expr, BERLIN, next)) {
          last = next;
        }
        expect(newestWithin(expr, BERLIN, from, to)).toEqual(last);
      }),
      { numRuns: 30 },
    );
  });
});

describe('hostSchedule', () => {
  it.each([
    ['0 30 23 * * *', 'UTC', '0 30 * * * *'],
    [' 0  30 23 * * 1-5 ', 'Etc/UTC', '0 30 * * * *'],
    ['0 30 23 1 * *', 'Asia/Tokyo', '0 30 * * * *'],
    ['0 30 23 * * *', BERLIN, '0 0,30 * * * *'],
    ['15 30 23 * * *', BERLIN, '15 0,30 * * * *'],
    ['0 00 23 * * *', BERLIN, '0 00 * * * *'],
    ['0 */20 4 * * *', BERLIN, '0 */20 * * * *'],
    // Half hours and quarters: as often as it must, and no oftener.
    ['15 30 23 * * *', 'Asia/Kolkata', '15 0 * * * *'],
    ['0 0 23 * * *', 'Asia/Kathmandu', '0 15 * * * *'],
    ['0 0 2 * * *', 'Asia/Tehran', '0 30 * * * *'],
    ['0 */30 2 * * *', 'Asia/Kolkata', '0 0,30 * * * *'],
    ['0 */20 2 * * *', 'Asia/Kathmandu', '0 15,35,55 * * * *'],
    ['0 * 2 * * *', 'Asia/Kathmandu', '0 * * * * *'],
    // And at the end of the gap in spring, which is on the full hour of the zone, but not in Chatham.
    ['15 30 2 * * *', 'Australia/Adelaide', '15 0,30 * * * *'],
    ['0 20 2 * * *', 'America/St_Johns', '0 30,50 * * * *'],
    ['0 10 2 * * *', 'Australia/Lord_Howe', '0 10,30,40 * * * *'],
    ['0 0 3 * * *', 'Pacific/Chatham', '0 0,15 * * * *'],
  ])('%s in %s is %s', (expr, zone, expected) => {
    expect(hostSchedule(expr, zone)).toBe(expected);
    expect(scheduleProblem(hostSchedule(expr, zone))).toBeUndefined();
  });

  const zones = [
    'UTC',
    BERLIN,
    'America/New_York',
    'America/St_Johns',
    'America/Santiago',
    'America/Havana',
    'Africa/Cairo',
    'Africa/Casablanca',
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Antarctica/Troll',
    'Pacific/Chatham',
    'Pacific/Apia',
    'America/Nuuk',
    '+05:45',
  ];

  it('comes within a minute of every occurrence, in every zone, over changes of the clock', () => {
    const number = (max: number) => fc.integer({ min: 0, max }).map(String);
    const field = (max: number) =>
      fc.oneof(
        { weight: 4, arbitrary: number(max) },
        fc.tuple(number(max), number(max)).map((values) => values.join(',')),
        fc.constant('*/7'),
        fc.constant('*'),
      );
    // Hours near the changes, which is where it can go wrong.
    const hour = fc.oneof({ weight: 4, arbitrary: number(4) }, field(23));
    const moment = fc.date({ min: at('2024-01-01T00:00:00Z'), max: at('2039-12-31T00:00:00Z'), noInvalidDate: true });
    const change = fc
      .tuple(
        fc.integer({ min: 2024, max: 2039 }),
        fc.constantFrom('03-27', '03-12', '04-05', '09-05', '10-03', '10-28', '11-05', '04-22'),
      )
      .map(([year, day]) => new Date(at(`${year}-${day}T00:00:00Z`).getTime() - 5 * 86_400_000));
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        number(59),
        field(59),
        hour,
        fc.oneof(moment, change),
        (zone, second, minute, hour, start) => {
          const expr = `${second} ${minute} ${hour} * * *`;
          const host = hostSchedule(expr, zone);
          expect(scheduleProblem(host)).toBeUndefined();
          for (let next = nextAfter(expr, zone, start), n = 0; n < 6; n++, next = nextAfter(expr, zone, next!)) {
            const comes = nextAfter(host, 'UTC', new Date(next!.getTime() - 1000))!;
            // An occurrence in a gap moves to the full minute; the host fires at the second of the schedule.
            const late = comes.getTime() - next!.getTime();
            const isInTime = late === 0 || (next!.getUTCSeconds() === 0 && late === Number(second) * 1000);
            expect({ expr, zone, host, next, comes, isInTime }).toMatchObject({ isInTime: true });
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('scheduleProblem', () => {
  it.each([
    '0 30 23 * * *',
    '0 */5 * * * *',
    '0 0 4 * * 1-5',
    '0 0 4 * * MON-FRI',
    '0 0 0 29 2 1',
    '0 0 0 1 jan,JUL *',
    '0 5-59/15 * * * *',
    ' 0 0 4  * * 0 ',
  ])('%s is a schedule', (expr) => {
    expect(scheduleProblem(expr)).toBeUndefined();
  });

  it.each([
    ['', 'empty'],
    ['0 30 23 * *', '"0 30 23 * *" has 5 fields'],
    ['30 23 * * *', '"0 30 23 * * *"'],
    ['0 0 0 0 30 23 *', '7 fields'],
    ['@daily', '"@daily" has 1 field;'],
    ['61 0 0 * * *', '61'],
    ['0 0 25 * * *', '25'],
    ['0 0 0 * 13 *', '13'],
    ['0 0 0 L * *', '"L"'],
    ['0 0 0 ? * *', '"?"'],
    ['0 0 0 * * MON#2', '"MON#2"'],
    ['0 0 0 * * L', 'not a schedule'],
    ['0 0 0 * * 7', 'Sunday'],
    ['0 0 0 * * FRI-SUN', 'Sunday'],
    ['0 0 0 * * 5-7/1', 'Sunday'],
    ['0 0 22-2 * * *', '22-2'],
    ['0 5/15 * * * *', '5/15'],
    ['0 0 0 31 2 *', 'never'],
    ['0 0 0 * * 1,,2', 'not a schedule'],
    ['* * * * * *', 'write one number as the second; a schedule cannot recur within a minute'],
    ['*/30 0 4 * * *', 'write one number as the second'],
    ['0,30 0 4 * * *', 'write one number as the second'],
    ['nightly at ten', '3 fields'],
  ])('%j is a problem', (expr, words) => {
    const problem = scheduleProblem(expr);
    expect(problem).toContain(words);
    expect(problem).toMatch(/for example "0 30 23 \* \* \*"|use "0,5,6"/);
  });

  it('says which fields a schedule has, in their order, and shows two of them', () => {
    expect(scheduleProblem(' ')).toBe(
      'the schedule is empty; a schedule has six fields, {second} {minute} {hour} {day} {month} {day of week}, for ' +
        'example "0 30 23 * * *" (every day at 23:30) or "0 0 4 * * 1-5" (Monday to Friday at 4:00)',
    );
  });

  it('completes a schedule of five fields, as cron has them', () => {
    expect(scheduleProblem(' 30 4 *  * 1-5')).toMatch(
      /has 5 fields; .* Add the second at the start: "0 30 4 \* \* 1-5"$/,
    );
  });

  it.each([
    ['L0 0 0 * * *', '"L0" is not a valid second'],
    ['0 0L 0 * * *', '"0L" is not a valid minute'],
    ['0 0 MON * * *', '"MON" is not a valid hour'],
    ['0 0 0 ? * *', '"?" is not a valid day'],
  ])('%s has a field that takes numbers only: %s', (expr, words) => {
    expect(scheduleProblem(expr)).toContain(`${words}; use numbers, "*", ",", "-" and "/", for example`);
  });

  it.each([
    ['0 0 0 * ?1 *', '"?1" is not a valid month'],
    ['0 0 0 * * 1?', '"1?" is not a valid day of week'],
  ])('%s has a field that takes names as well: %s', (expr, words) => {
    expect(scheduleProblem(expr)).toContain(
      `${words}; use numbers, "*", ",", "-" and "/", and names such as JAN or MON, for example`,
    );
  });

  it.each([
    ['0 0 25 * * *', '(the hour "25" has "25", and it is 0 to 23); a schedule'],
    ['0 0 0-30 * * *', '(the hour "0-30" has "30", and it is 0 to 23); a schedule'],
    ['0 0 0 0 * *', '(the day "0" has "0", and it is 1 to 31); a schedule'],
    ['0 0 0 1,32 * *', '(the day "1,32" has "32", and it is 1 to 31); a schedule'],
    ['0 60 0 * * *', '(the minute "60" has "60", and it is 0 to 59); a schedule'],
    ['60 0 0 * * *', '(the second "60" has "60", and it is 0 to 59); a schedule'],
    ['0 0 0 1 13 *', '(the month "13" has "13", and it is 1 to 12, or JAN to DEC); a schedule'],
    ['0 0 0 * JAN-XYZ *', '(the month "JAN-XYZ" has "XYZ", and it is 1 to 12, or JAN to DEC); a schedule'],
    ['0 0 0 * * 1-9', '(the day of week "1-9" has "9", and it is 0 to 6, or SUN to SAT); a schedule'],
    ['0 0 0 * * MONDAY', '(the day of week "MONDAY" has "MONDAY", and it is 0 to 6, or SUN to SAT); a schedule'],
    ['0 0 */30 * * *', '(the hour "*/30" has the step 30, and steps of it are 1 to 24); a schedule'],
    ['0 */0 * * * *', '(the minute "*/0" has the step 0, and steps of it are 1 to 60); a schedule'],
    ['0 0 22-2 * * *', "(From value is larger than to value: '22-2'); a schedule"],
    [
      '0 5/15 * * * *',
      "(stepping with numeric prefix ('5/15') is not allowed. Use wildcard (*/step) or range (min-max/step) instead); a",
    ],
  ])('%s is refused with a reason that reads as part of the sentence', (expr, words) => {
    expect(scheduleProblem(expr)).toContain(`"${expr}" is not a schedule ${words}`);
  });

  it('quotes eighty characters of a schedule at most', () => {
    expect(scheduleProblem('x'.repeat(80))).toContain(`"${'x'.repeat(80)}" has 1 field;`);
    expect(scheduleProblem('x'.repeat(81))).toContain(`"${'x'.repeat(80)}…" has 1 field;`);
  });

  it('names no number that is not there', () => {
    const number = fc.integer({ min: 0, max: 99 }).map(String);
    const field = fc.oneof(
      fc.constant('*'),
      number,
      fc.tuple(number, number).map((ends) => ends.join('-')),
      fc.array(number, { minLength: 2, maxLength: 3 }).map((all) => all.join(',')),
      number.map((step) => `*/${step}`),
    );
    fc.assert(
      fc.property(fc.tuple(number, field, field, field, field, field), (fields) => {
        const expr = fields.join(' ');
        const reason = /is not a schedule \((.*)\); a schedule/.exec(scheduleProblem(expr) ?? '')?.[1] ?? '';
        const named = reason.replace(/, and (?:it is|steps of it are) .*$/, '').match(/\d+/g) ?? [];
        const written: string[] = expr.match(/\d+/g) ?? [];
        expect({ reason, unknown: named.filter((each) => !written.includes(each)) }).toMatchObject({ unknown: [] });
      }),
      { numRuns: 300 },
    );
  });

  it('has an answer to any text, and what it lets through can be asked for', () => {
    const field = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789*,-/LW#?MONJAN'), minLength: 1, maxLength: 5 }),
      fc.constantFrom('*', '0', '1-5', 'MON'),
    );
    const expr = fc.oneof(
      fc.string(),
      fc.array(field, { minLength: 6, maxLength: 6 }).map((fields) => fields.join(' ')),
    );
    fc.assert(
      fc.property(expr, (expr) => {
        const problem = scheduleProblem(expr);
        if (problem === undefined) expect(nextAfter(expr, BERLIN, at('2024-01-01T00:00:00Z'))).toBeInstanceOf(Date);
        else expect(problem).not.toBe('');
      }),
    );
  });
});

describe('timeZoneProblem', () => {
  it.each(['UTC', BERLIN, 'Asia/Kolkata', 'Pacific/Chatham'])('%s is a zone', (zone) => {
    expect(timeZoneProblem(zone)).toBeUndefined();
  });

  it.each(['', 'Mars/Olympus', 'W. Europe Standard Time', 'x'.repeat(300)])('%s is none', (zone) => {
    expect(timeZoneProblem(zone)).toContain('"Europe/Berlin"');
  });

  it('quotes the name of the zone, eighty characters of it at most, and says that names of Windows do not work', () => {
    expect(timeZoneProblem('Mars/Olympus')).toMatch(
      /^"Mars\/Olympus" is not a time zone; .*\(Windows names do not work\)$/,
    );
    expect(timeZoneProblem('x'.repeat(80))).toContain(`"${'x'.repeat(80)}" is not`);
    expect(timeZoneProblem('x'.repeat(81))).toContain(`"${'x'.repeat(80)}…" is not`);
  });
});
