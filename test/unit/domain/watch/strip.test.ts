import { describe, expect, it, test } from 'vitest';
import { timesWithin } from '#domain/run/schedule.ts';
import { type StripFacts, type StripRun, stripOf } from '#domain/watch/strip.ts';

const NIGHTLY = '0 30 23 * * *';
const LONG_AGO = new Date('2026-01-01T00:00:00Z');

interface Given {
  now?: string;
  zone?: string;
  schedule?: string;
  since?: Date;
  runs?: StripRun[];
  more?: Partial<StripFacts>;
}

const NOW = '2026-05-20T12:00:00Z';

/** The strip of a job, by day. */
function strip({ now = NOW, zone = 'UTC', schedule = NIGHTLY, since = LONG_AGO, runs = [], more = {} }: Given = {}) {
  const end = new Date(now);
  const from = new Date(Math.max(since.getTime(), end.getTime() - 31 * 24 * 3_600_000));
  const found = timesWithin(schedule, zone, { from, to: end, most: 3_000 })!;
  const facts = { timeZone: zone, runs, running: new Set<string>(), expected: { since, ...found }, ...more };
  const days = stripOf(facts, end);
  expect(days).toHaveLength(30);
  return Object.fromEntries(days.map(({ day, ...of }) => [day, of]));
}

/** A run of an hour. */
function run(startedAt: string, status = 'succeeded', hours = 1): StripRun {
  const finishedAt = new Date(Date.parse(startedAt) + hours * 3_600_000).toISOString();
  return { id: startedAt, status, startedAt, ...(status !== 'running' && { finishedAt }) };
}

/** One run for each day of May at 23:30 in UTC, up to the 19th. */
const eachNight = Array.from({ length: 19 }, (_, index) =>
  run(`2026-05-${String(index + 1).padStart(2, '0')}T23:30:00.000Z`),
);
const sumOf = (days: Record<string, { missed: number | null }>) =>
  Object.values(days).reduce((sum, { missed }) => sum + (missed ?? 0), 0);

test('each day has its number of runs and the worst result', () => {
  const runs = [
    ...eachNight,
    run('2026-05-18T10:00:00Z', 'completed-with-failures'),
    run('2026-05-17T10:00:00Z', 'failed'),
    run('2026-05-16T10:00:00Z', 'cancelled'),
  ];
  expect(strip({ runs })).toMatchObject({
    '2026-05-16': { worst: 'cancelled', runs: 2, missed: 0 },
    '2026-05-17': { worst: 'failed', runs: 2, missed: 0 },
    '2026-05-18': { worst: 'completed-with-failures', runs: 2, missed: 0 },
    '2026-05-19': { worst: 'succeeded', runs: 1, missed: 0 },
    '2026-05-20': { worst: null, runs: 0, missed: 0 },
  });
  expect(Object.keys(strip())).toMatchObject({ 0: '2026-04-21', 29: '2026-05-20' });
});

describe('a time of the schedule is missed', () => {
  const ofDay = (given: Given, day = '2026-05-19') => strip(given)[day]?.missed;
  const others = eachNight.filter(({ startedAt }) => !startedAt.startsWith('2026-05-19'));

  it.each<[string, number, Given]>([
    ['if no run began', 1, { runs: others }],
    ['not by a run that failed', 0, { runs: [...others, run('2026-05-19T23:30:00Z', 'failed')] }],
    ['not by a run that began late', 0, { runs: [...others, run('2026-05-20T09:00:00Z')] }],
    ['not by a tick that came early', 0, { runs: [...others, run('2026-05-19T23:29:45Z')] }],
    [
      'not by a run that came early and ended before it',
      0,
      { runs: [...others, run('2026-05-19T23:29:40Z', 'failed', 0)] },
    ],
    ['by no run that came too early', 1, { runs: [...others, run('2026-05-19T23:29:25Z', 'failed', 0)] }],
    ['if a run ended before it', 1, { runs: [...others, run('2026-05-19T20:00:00Z')] }],
    ['not while a run is in progress', 0, { runs: [...others, run('2026-05-19T20:00:00Z', 'succeeded', 5)] }],
    ['not within its grace', 0, { runs: others, now: '2026-05-20T01:29:00Z' }],
    ['when its grace is over', 1, { runs: others, now: '2026-05-20T01:31:00Z' }],
  ])('%s', (_what, missed, given) => {
    expect(ofDay(given)).toBe(missed);
  });

  it('in whichever order the runs are listed', () => {
    const runs = [...others, run('2026-05-19T20:00:00Z', 'succeeded', 5)].toReversed();
    expect(sumOf(strip({ runs, now: '2026-05-20T12:00:00Z', since: new Date('2026-05-02T00:00:00Z') }))).toBe(0);
  });

  it('not by a run that has begun, of a schedule that has no next time', () => {
    const times = [new Date('2026-05-19T23:30:00Z')];
    const expected = { since: LONG_AGO, times, next: undefined };
    const later = run('2026-05-20T09:00:00Z', 'succeeded', 0);
    expect(ofDay({ runs: [later], more: { expected } })).toBe(0);
    expect(ofDay({ runs: [], more: { expected } })).toBe(1);
  });

  it('of an hourly schedule after a quarter of an hour', () => {
    const given = { schedule: '0 0 * * * *', since: new Date('2026-05-20T11:30:00Z') };
    expect(ofDay({ ...given, now: '2026-05-20T12:14:00Z' }, '2026-05-20')).toBe(0);
    expect(ofDay({ ...given, now: '2026-05-20T12:16:00Z' }, '2026-05-20')).toBe(1);
  });

  it('not before the schedule was seen', () => {
    const times = [new Date('2026-05-19T11:30:00Z'), new Date('2026-05-19T23:30:00Z')];
    const expected = { since: new Date('2026-05-19T12:00:00Z'), times, next: undefined };
    expect(ofDay({ more: { expected } })).toBe(1);
  });

  it('not while a run of the day before is still in progress', () => {
    const now = '2026-05-20T12:00:00Z';
    const runs = [...others, run('2026-05-19T20:00:00Z', 'running')];
    const running = new Set(['2026-05-19T20:00:00Z']);
    expect(strip({ now, runs, more: { running } })).toMatchObject({ '2026-05-19': { missed: 0, worst: 'running' } });
    // A row that says so of a run that has ended long ago is out of date.
    expect(strip({ now, runs })).toMatchObject({ '2026-05-19': { missed: 1, worst: null, runs: 1 } });
  });

  it('on working days only, if the schedule says so', () => {
    const days = strip({ schedule: '0 0 4 * * 1-5' });
    expect(days).toMatchObject({
      '2026-05-15': { missed: 1 },
      '2026-05-16': { missed: 0 },
      '2026-05-17': { missed: 0 },
    });
    expect(sumOf(days)).toBe(22);
  });

  it('each one of several a day', () => {
    const days = strip({ schedule: '0 0 */6 * * *', runs: [run('2026-05-19T06:00:00Z')] });
    expect(days).toMatchObject({ '2026-05-18': { missed: 4 }, '2026-05-19': { missed: 3 } });
  });

  it('never before the watch first saw the schedule', () => {
    const since = new Date('2026-05-18T12:00:00Z');
    const days = strip({ since, runs: [run('2026-05-16T23:30:00Z')] });
    expect(days).toMatchObject({
      '2026-05-16': { worst: 'succeeded', runs: 1, missed: null },
      '2026-05-17': { runs: 0, missed: null },
      '2026-05-18': { missed: 1 },
      '2026-05-19': { missed: 1 },
    });
  });

  it('never in a pause, nor in one before it', () => {
    const pause = {
      ...{ at: '2026-05-18T00:00:00Z', reason: 'x', resumed: '2026-05-19T00:00:00Z' },
      earlier: [{ at: '2026-05-10T00:00:00Z', ended: '2026-05-11T00:00:00Z' }],
    };
    const days = strip({ more: { pause } });
    expect(days).toMatchObject({
      '2026-05-10': { missed: 0 },
      '2026-05-18': { missed: 0 },
      '2026-05-19': { missed: 1 },
    });
    expect(sumOf(days)).toBe(27);
    expect(sumOf(strip({ more: { pause: { at: '2026-05-18T00:00:00Z', reason: 'x' } } }))).toBe(27);
  });

  it('not known if the times are too many', () => {
    const { '2026-05-19': day } = strip({ runs: eachNight, more: { expected: undefined } as object });
    expect(day).toEqual({ worst: 'succeeded', runs: 1, missed: null });
  });
});

test('days are those of the time zone, also when clocks change', () => {
  // 23:30 in Berlin is on the same date there, and on another one in New York.
  const runs = [run('2026-03-27T22:30:00Z'), run('2026-03-28T22:30:00Z'), run('2026-03-29T21:30:00Z')];
  const berlin = strip({ now: '2026-03-30T10:00:00Z', zone: 'Europe/Berlin', runs });
  for (const day of ['2026-03-27', '2026-03-28', '2026-03-29']) {
    expect(berlin[day]).toEqual({ worst: 'succeeded', runs: 1, missed: 0 });
  }
  // 02:30 does not exist on the 29th: the schedule occurs at the end of the gap.
  const inGap = strip({ now: '2026-03-30T10:00:00Z', zone: 'Europe/Berlin', schedule: '0 30 2 * * *' });
  expect(inGap).toMatchObject({
    '2026-03-28': { missed: 1 },
    '2026-03-29': { missed: 1 },
    '2026-03-30': { missed: 1 },
  });
  // In autumn the hour is there twice, and the schedule once.
  const autumn = strip({ now: '2026-10-26T10:00:00Z', zone: 'Europe/Berlin', schedule: '0 30 2 * * *' });
  expect(autumn).toMatchObject({ '2026-10-25': { missed: 1 } });
  expect(Object.keys(strip({ now: '2026-05-20T23:30:00Z', zone: 'Pacific/Auckland' })).at(-1)).toBe('2026-05-21');
});

test('a clock that is ahead adds no day, and one that was set back hides nothing', () => {
  const ahead = strip({ now: '2026-05-20T23:50:00Z', runs: [run('2026-05-21T00:10:00Z')] });
  expect(ahead['2026-05-20']).toMatchObject({ worst: 'succeeded', runs: 1 });
  const setBack = strip({ runs: [run('2027-01-01T00:00:00Z', 'failed'), ...eachNight] });
  expect(setBack).toMatchObject({ '2026-05-19': { worst: 'succeeded', runs: 1, missed: 0 } });
});

test('of the days for which runs may be missing, nothing is known', () => {
  const days = strip({ runs: eachNight.slice(10), more: { runsSince: new Date('2026-05-11T23:30:00Z') } });
  expect(days['2026-05-11']).toEqual({ worst: null, runs: null, missed: null });
  expect(days['2026-05-12']).toEqual({ worst: 'succeeded', runs: 1, missed: 0 });
});

test('a run of a clock that was ahead is not shown', () => {
  const ahead = run('2026-05-20T14:00:00Z', 'failed');
  expect(strip({ runs: [ahead] })['2026-05-20']).toMatchObject({ worst: null, runs: 0 });
});
