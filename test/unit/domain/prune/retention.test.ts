import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type PointInTime,
  parseDuration,
  type RetentionPolicy,
  retention,
  retentionProblem,
} from '#domain/prune/retention.ts';

const HOUR = 3600_000;
const DAY = 24 * HOUR;
const BERLIN = 'Europe/Berlin';
const LATER = new Date('2100-01-01T00:00:00Z');
const FAILURES = { status: 'completed-with-failures' } as const;
const BRAKE = { brake: { reason: 'too much changed' } };

/** A restore point that has as its id the time it began at, such as `2026-11-20T10:00Z`. */
function point(time: string, changes: Partial<PointInTime> = {}): PointInTime {
  return { id: time, startedAt: time, status: 'succeeded', ...changes };
}

const daily = (first: string, count: number) =>
  Array.from({ length: count }, (_, day) => point(new Date(Date.parse(first) + day * DAY).toISOString()));

/** Why each is kept, by its id; those that go are left out. */
function kept(points: PointInTime[], policy: RetentionPolicy, zone = 'UTC', now = LATER): Record<string, string[]> {
  const decisions = retention(points, policy, now, zone).filter(({ keep }) => keep);
  return Object.fromEntries(decisions.map(({ id, reasons }) => [id, reasons]));
}

describe('the rules', () => {
  it('keep everything where there is none', () => {
    const points = daily('2026-01-01T00:00:00Z', 3);
    for (const policy of [undefined, {}]) {
      const decisions = retention(points, policy, LATER, 'UTC');
      expect(decisions).toEqual(points.toReversed().map(({ id }) => ({ id, keep: true, reasons: ['no policy'] })));
    }
  });

  it('say of each restore point why it is kept, or that nothing keeps it', () => {
    const points = [
      point('2026-11-15T10:00Z', { hold: { reason: 'audit' } }),
      point('2026-11-18T10:00Z'),
      point('2026-11-19T10:00Z', { verifiedAt: '2026-11-19T12:00:00Z' }),
      point('2026-11-20T10:00Z'),
      point('2026-11-20T12:00Z', FAILURES),
    ];
    const policy = { keepLast: 1, keepDaily: 1, keepWeekly: 1, keepMonthly: 1, keepYearly: 1, keepWithin: '3h' };
    expect(retention(points, policy, LATER, 'UTC')).toEqual([
      { id: '2026-11-20T12:00Z', keep: true, reasons: ['last 1', 'within 3h', 'newest'] },
      {
        id: '2026-11-20T10:00Z',
        keep: true,
        reasons: ['daily 2026-11-20', 'weekly 2026-W47', 'monthly 2026-11', 'yearly 2026', 'within 3h', 'last good'],
      },
      { id: '2026-11-19T10:00Z', keep: true, reasons: ['last verified'] },
      { id: '2026-11-18T10:00Z', keep: false, reasons: ['no rule keeps it'] },
      { id: '2026-11-15T10:00Z', keep: true, reasons: ['held: audit'] },
    ]);
  });

  it('take of a period the newest that succeeded, and the newest where none did', () => {
    const points = [
      point('2026-11-18T08:00Z', FAILURES),
      point('2026-11-18T10:00Z', FAILURES),
      point('2026-11-19T08:00Z'),
      point('2026-11-19T09:00Z'),
      point('2026-11-19T10:00Z', FAILURES),
      point('2026-11-20T10:00Z'),
    ];
    expect(Object.keys(kept(points, { keepDaily: 3 }))).toEqual([
      '2026-11-20T10:00Z',
      '2026-11-19T09:00Z',
      '2026-11-18T10:00Z',
    ]);
  });

  it('count only periods that have any', () => {
    const points = [point('2020-02-29T10:00Z'), point('2023-01-01T10:00Z'), point('2026-11-20T10:00Z')];
    for (const rule of ['keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly']) {
      expect(Object.keys(kept(points, { [rule]: 2 }))).toEqual(['2026-11-20T10:00Z', '2023-01-01T10:00Z']);
    }
  });

  it.each([
    ['2026-01-01', '2026-W01'],
    ['2027-01-01', '2026-W53'],
    ['2027-01-03', '2026-W53'],
    ['2027-01-04', '2027-W01'],
    ['2024-12-29', '2024-W52'],
    ['2024-12-30', '2025-W01'],
    ['2021-01-03', '2020-W53'],
    ['0999-12-30', '1000-W01'],
    ['0999-12-29', '0999-W52'],
  ])('have %s lie in the week %s', (date, week) => {
    expect(kept([point(`${date}T12:00Z`)], { keepWeekly: 1 })).toEqual({
      [`${date}T12:00Z`]: [`weekly ${week}`, 'last good'],
    });
  });

  it('count days as they are in the time zone, also when clocks change', () => {
    const days = (times: string[], zone: string) =>
      retention(
        times.map((time) => point(time)),
        { keepDaily: 99 },
        LATER,
        zone,
      )
        .flatMap(({ reasons }) => reasons.filter((reason) => reason.startsWith('daily')))
        .map((reason) => reason.slice(6));
    // The day of 25 hours, from its first minute to its last, and the ones beside it.
    const autumn = ['2026-10-24T21:59Z', '2026-10-24T22:00Z', '2026-10-25T22:59Z', '2026-10-25T23:00Z'];
    expect(days(autumn, BERLIN)).toEqual(['2026-10-26', '2026-10-25', '2026-10-24']);
    // The day of 23 hours.
    const spring = ['2026-03-28T22:59Z', '2026-03-28T23:00Z', '2026-03-29T21:59Z', '2026-03-29T22:00Z'];
    expect(days(spring, BERLIN)).toEqual(['2026-03-30', '2026-03-29', '2026-03-28']);
    expect(days(['2026-11-20T11:00Z', '2026-11-20T13:00Z'], 'Pacific/Kiritimati')).toEqual(['2026-11-21']);
    // A day that Samoa left out.
    expect(days(['2011-12-30T09:59Z', '2011-12-30T10:00Z'], 'Pacific/Apia')).toEqual(['2011-12-31', '2011-12-29']);
    // Clocks set back over midnight: a day that has begun is interrupted by the end of the one before.
    const interrupted = ['2010-11-07T02:30:30Z', '2010-11-07T02:31:30Z'];
    expect(days(interrupted, 'America/St_Johns')).toEqual(['2010-11-06', '2010-11-07']);
    expect(
      Object.values(
        kept(
          interrupted.map((time) => point(time)),
          { keepDaily: 1 },
          'America/St_Johns',
        ),
      ),
    ).toEqual([['last good'], ['daily 2010-11-07']]);
  });

  it('count time back from the newest restore point, or from now where that is earlier', () => {
    const points = daily('2026-01-01T00:00:00Z', 40);
    expect(Object.keys(kept(points, { keepWithin: '3d' }))).toHaveLength(4);
    expect(Object.keys(kept(points, { keepWithin: '71h' }))).toHaveLength(3);
    const early = kept(points, { keepWithin: '2d' }, 'UTC', new Date('2026-01-10T00:00:00Z'));
    expect(early['2026-01-08T00:00:00.000Z']).toEqual(['within 2d']);
    expect(early['2026-01-07T00:00:00.000Z']).toEqual(['another is in the future']);
  });
});

describe('whatever the rules say', () => {
  it('the newest that succeeded is kept, and the newest', () => {
    const points = [
      point('2026-01-01T00:00Z'),
      ...daily('2026-01-02T00:00:00Z', 9).map((one) => ({ ...one, ...FAILURES })),
    ];
    expect(kept(points, { keepLast: 1 })).toEqual({
      '2026-01-10T00:00:00.000Z': ['last 1', 'newest'],
      '2026-01-01T00:00Z': ['last good'],
    });
    expect(kept(points.slice(1), { keepLast: 1 })).toEqual({ '2026-01-10T00:00:00.000Z': ['last 1', 'newest'] });
  });

  it('the newest of those verified is kept, however long ago that was', () => {
    const points = daily('2026-01-01T00:00:00Z', 9);
    points[2]!.verifiedAt = '2026-01-09T00:00:00Z';
    points[4]!.verifiedAt = '2026-01-05T00:00:00Z';
    expect(kept(points, { keepLast: 1 })).toEqual({
      '2026-01-09T00:00:00.000Z': ['last 1', 'last good'],
      '2026-01-05T00:00:00.000Z': ['last verified'],
    });
  });

  it('a brake keeps what it is on and everything older, until the last one is released', () => {
    const points = daily('2026-01-01T00:00:00Z', 9);
    Object.assign(points[2]!, BRAKE);
    Object.assign(points[6]!, BRAKE);
    const first = ['brake on 2026-01-03T00:00:00.000Z'];
    const second = ['brake on 2026-01-07T00:00:00.000Z'];
    const reasons = () => Object.values(kept(points, { keepLast: 1 }));
    const last = ['last 1', 'last good'];
    expect(kept(points, { keepLast: 1 })).not.toHaveProperty(['2026-01-08T00:00:00.000Z']);
    expect(reasons()).toEqual([last, second, second, second, second, first, first, first]);
    delete points[6]!.brake;
    expect(reasons()).toEqual([last, first, first, first]);
    delete points[2]!.brake;
    expect(reasons()).toEqual([last]);
  });

  it('nothing goes while a restore point lies in the future', () => {
    const points = daily('2026-01-01T00:00:00Z', 5);
    const at = (now: string) => kept(points, { keepLast: 1 }, 'UTC', new Date(now));
    expect(Object.values(at('2026-01-04T12:00:00Z'))).toEqual([
      ['last 1', 'last good', 'in the future'],
      ...Array(4).fill(['another is in the future']),
    ]);
    expect(Object.keys(at('2026-01-05T00:00:00Z'))).toHaveLength(1);
  });

  it('nothing is decided by what cannot be understood', () => {
    const decide = (points: PointInTime[], policy: RetentionPolicy, now = LATER) =>
      retention(points, policy, now, 'UTC');
    const points = daily('2026-01-01T00:00:00Z', 5);
    expect(() => decide([...points, { ...points[0]!, id: 'x', startedAt: '' }], { keepLast: 1 })).toThrow(
      'restore point x has no start time',
    );
    expect(() => decide(points, { keepLast: 1 }, new Date(Number.NaN))).toThrow(
      new RangeError('the time to decide at is not a time'),
    );
    expect(() => decide(points, { keepWithin: '1w' })).toThrow('"1w" is not a duration');
    expect(() => decide(points, { keepLast: 0 })).toThrow('keepLast must be a whole number from 1');
    expect(() => retention(points, { keepDaily: 1 }, LATER, 'Mars')).toThrow(RangeError);
  });
});

it('a job pruned every day for three years keeps a week of days, a month of Sundays, a year of months, and the years', () => {
  const policy = { keepDaily: 7, keepWeekly: 4, keepMonthly: 12, keepYearly: 3 };
  let points: PointInTime[] = [];
  // Half past eleven in the evening, by the clock on the wall.
  for (const date of daily('2024-01-01T00:00:00Z', 1096).map(({ id }) => id.slice(0, 10))) {
    const summer = ['2024-03-31 2024-10-27', '2025-03-30 2025-10-26', '2026-03-29 2026-10-25'].some((text) => {
      const [from, to] = text.split(' ');
      return date >= from! && date < to!;
    });
    points.push({ id: date, startedAt: `${date}T${summer ? 21 : 22}:30:00.000Z`, status: 'succeeded' });
    const decisions = retention(points, policy, new Date(`${date}T23:00:00.000Z`), BERLIN);
    const gone = new Set(decisions.flatMap(({ id, keep }) => (keep ? [] : [id])));
    points = points.filter(({ id }) => !gone.has(id));
  }
  expect(points.map(({ id }) => id).toReversed()).toEqual([
    ...['2026-12-31', '2026-12-30', '2026-12-29', '2026-12-28', '2026-12-27', '2026-12-26', '2026-12-25'],
    ...['2026-12-20', '2026-12-13'],
    ...['2026-11-30', '2026-10-31', '2026-09-30', '2026-08-31', '2026-07-31', '2026-06-30', '2026-05-31'],
    ...['2026-04-30', '2026-03-31', '2026-02-28', '2026-01-31'],
    ...['2025-12-31', '2024-12-31'],
  ]);
});

const ZONES = [
  'UTC',
  BERLIN,
  'America/New_York',
  'America/St_Johns',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Africa/Casablanca',
];
const anyZone = fc.constantFrom(...ZONES);

/** Restore points minutes to months apart, between 2009 and 2030, some of them held, braked, verified or removed. */
const anyHistory = (marks = true) =>
  fc
    .tuple(
      fc.integer({ min: Date.parse('2009-01-01T00:00:00Z'), max: Date.parse('2027-01-01T00:00:00Z') }),
      fc.array(
        fc.record({
          gap: fc.oneof(
            fc.integer({ min: 0, max: HOUR }),
            fc.integer({ min: 0, max: DAY }),
            fc.constantFrom(0, HOUR, DAY, 7 * DAY),
            fc.integer({ min: DAY, max: 40 * DAY }),
          ),
          failures: fc.nat(3).map((chance) => chance === 0),
          mark: marks
            ? fc.constantFrom('', '', '', '', '', '', 'hold', 'brake', 'verified', 'verified')
            : fc.constant(''),
        }),
        { maxLength: 40 },
      ),
    )
    .map(([start, steps]) => {
      let time = start;
      return steps.map(({ gap, failures, mark }, index): PointInTime => {
        time += gap;
        return {
          id: `p${String(index).padStart(2, '0')}`,
          startedAt: new Date(time).toISOString(),
          status: failures ? 'completed-with-failures' : 'succeeded',
          ...(mark === 'hold' && { hold: { reason: 'by hand' } }),
          ...(mark === 'brake' && BRAKE),
          ...(mark === 'verified' && { verifiedAt: new Date(time + HOUR).toISOString() }),
        };
      });
    });

const anyCount = fc.integer({ min: 1, max: 6 });
const anyPolicy = fc
  .record(
    {
      keepLast: anyCount,
      keepDaily: anyCount,
      keepWeekly: anyCount,
      keepMonthly: anyCount,
      keepYearly: anyCount,
      keepWithin: fc.constantFrom('1h', '12h', '2d', '30d', '400d'),
    },
    { requiredKeys: [] },
  )
  .filter((policy) => Object.keys(policy).length > 0);

const idsKept = (points: PointInTime[], policy: RetentionPolicy, now: Date, zone: string) =>
  retention(points, policy, now, zone).flatMap(({ id, keep }) => (keep ? [id] : []));
const only = (points: PointInTime[], ids: string[]) => points.filter(({ id }) => ids.includes(id));
const timeOf = ({ startedAt }: PointInTime) => Date.parse(startedAt);

/** Making a format takes far longer than using it. */
const dayFormats = new Map<string, Intl.DateTimeFormat>();

function dayIn(zone: string, time: number): string {
  const format = dayFormats.get(zone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: zone });
  dayFormats.set(zone, format);
  return format.format(time);
}

/** The same by another way: one question for each restore point and rule, asked of all the others. */
function isKeptBy(
  reference: PointInTime[],
  one: PointInTime,
  policy: RetentionPolicy,
  now: Date,
  zone: string,
): boolean {
  const later = (a: PointInTime, b: PointInTime) => timeOf(a) > timeOf(b) || (timeOf(a) === timeOf(b) && a.id > b.id);
  const beats = (a: PointInTime, b: PointInTime) => (a.status === b.status ? later(a, b) : a.status === 'succeeded');
  const localDay = (of: PointInTime) => dayIn(zone, timeOf(of));
  const monday = (day: string) => {
    const noon = new Date(`${day}T12:00:00Z`);
    while (noon.getUTCDay() !== 1) noon.setTime(noon.getTime() - DAY);
    return noon.toISOString().slice(0, 10);
  };
  const newestOf = (some: PointInTime[]) => some.find((a) => some.every((b) => a === b || later(a, b)));
  const countedBy = (count: number | undefined, periodOf: (day: string) => string) => {
    if (count === undefined) return false;
    const own = periodOf(localDay(one));
    const others = reference.filter((other) => other !== one);
    if (others.some((other) => periodOf(localDay(other)) === own && beats(other, one))) return false;
    return new Set(others.map((other) => periodOf(localDay(other))).filter((period) => period > own)).size < count;
  };
  const newest = newestOf(reference)!;
  const unit = policy.keepWithin?.endsWith('d') ? DAY : HOUR;
  return (
    reference.some((other) => timeOf(other) > now.getTime()) ||
    reference.filter((other) => later(other, one)).length < (policy.keepLast ?? 0) ||
    countedBy(policy.keepDaily, (day) => day) ||
    countedBy(policy.keepWeekly, monday) ||
    countedBy(policy.keepMonthly, (day) => day.slice(0, 7)) ||
    countedBy(policy.keepYearly, (day) => day.slice(0, 4)) ||
    (policy.keepWithin !== undefined &&
      timeOf(newest) - timeOf(one) <= Number.parseInt(policy.keepWithin, 10) * unit) ||
    one === newest ||
    one === newestOf(reference.filter(({ status }) => status === 'succeeded')) ||
    one === newestOf(reference.filter(({ verifiedAt }) => verifiedAt)) ||
    one.hold !== undefined ||
    reference.some((other) => other.brake && (other === one || later(other, one)))
  );
}

describe('of any history', () => {
  it('what is kept is what another way of reckoning keeps', () => {
    const removals = { some: 0, none: 0 };
    fc.assert(
      fc.property(anyHistory(), anyPolicy, anyZone, fc.nat(39), (points, policy, zone, at) => {
        const now = at < points.length - 3 ? LATER : new Date(points[at] ? timeOf(points[at]) : LATER);
        const expected = points.filter((one) => isKeptBy(points, one, policy, now, zone)).map(({ id }) => id);
        expect(idsKept(points, policy, now, zone).toReversed()).toEqual(expected);
        removals[expected.length < points.length ? 'some' : 'none']++;
      }),
      { numRuns: 1000 },
    );
    expect(Math.min(removals.some, removals.none)).toBeGreaterThan(100);
  });

  it('the newest, the last good, the last verified, the held, and what a brake protects are kept', () => {
    fc.assert(
      fc.property(anyHistory(), anyPolicy, anyZone, (points, policy, zone) => {
        const mustStay = [
          points.at(-1),
          points.findLast(({ status }) => status === 'succeeded'),
          points.findLast(({ verifiedAt }) => verifiedAt),
          ...points.filter(({ hold }) => hold),
          ...points.slice(0, points.findLastIndex(({ brake }) => brake) + 1),
        ].flatMap((one) => (one ? [one.id] : []));
        expect(idsKept(points, policy, LATER, zone)).toEqual(expect.arrayContaining(mustStay));
      }),
      { numRuns: 500 },
    );
  });

  it('what was kept is kept again when the rest is gone, for the same reasons', () => {
    fc.assert(
      fc.property(anyHistory(), anyPolicy, anyZone, (points, policy, zone) => {
        const first = retention(points, policy, LATER, zone).filter(({ keep }) => keep);
        const rest = only(
          points,
          first.map(({ id }) => id),
        );
        const again = retention(rest, policy, LATER, zone);
        expect(again.every(({ keep }) => keep)).toBe(true);
        for (const [index, { reasons }] of first.entries()) {
          expect(again[index]!.reasons).toEqual(expect.arrayContaining(reasons));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('pruning after every run leaves what pruning once in the end does', () => {
    fc.assert(
      fc.property(anyHistory(false), anyPolicy, anyZone, (points, policy, zone) => {
        let left: PointInTime[] = [];
        for (const one of points) left = only(points, idsKept([...left, one], policy, LATER, zone));
        expect(left.map(({ id }) => id).toReversed()).toEqual(idsKept(points, policy, LATER, zone));
      }),
      { numRuns: 300 },
    );
  });

  it('a rule more, or a larger number, never removes more', () => {
    fc.assert(
      fc.property(anyHistory(), anyPolicy, anyPolicy, anyZone, (points, policy, other, zone) => {
        const both = { ...policy };
        for (const [rule, value] of Object.entries(other)) {
          const known = policy[rule as keyof RetentionPolicy];
          if (known === undefined) Object.assign(both, { [rule]: value });
          else if (typeof known === 'number') Object.assign(both, { [rule]: Math.max(known, value as number) });
        }
        expect(idsKept(points, both, LATER, zone)).toEqual(
          expect.arrayContaining(idsKept(points, policy, LATER, zone)),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('an earlier time never removes more, and a later one than the newest makes no difference', () => {
    fc.assert(
      fc.property(anyHistory(), anyPolicy, anyZone, fc.nat(), fc.nat(), (points, policy, zone, a, b) => {
        fc.pre(points.length > 0);
        const span = timeOf(points.at(-1)!) - timeOf(points[0]!) + 2 * DAY;
        const [early, late] = [a % span, b % span]
          .sort((x, y) => x - y)
          .map((offset) => new Date(timeOf(points[0]!) - DAY + offset));
        expect(idsKept(points, policy, early!, zone)).toEqual(
          expect.arrayContaining(idsKept(points, policy, late!, zone)),
        );
        const newest = new Date(timeOf(points.at(-1)!));
        expect(retention(points, policy, newest, zone)).toEqual(retention(points, policy, LATER, zone));
      }),
      { numRuns: 500 },
    );
  });

  it('the order it is given in makes no difference, and what is given stays as it is', () => {
    const anyShuffled = anyHistory().chain((points) =>
      fc.tuple(fc.constant(points), fc.shuffledSubarray(points, { minLength: points.length })),
    );
    fc.assert(
      fc.property(anyShuffled, anyPolicy, anyZone, ([points, shuffled], policy, zone) => {
        const given = structuredClone(shuffled);
        expect(retention(shuffled, policy, LATER, zone)).toEqual(retention(points, policy, LATER, zone));
        expect(shuffled).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  it('no more are kept than the rules and the floors add up to', () => {
    fc.assert(
      fc.property(anyHistory(), anyPolicy, anyZone, (points, policy, zone) => {
        const { keepWithin, ...counts } = policy;
        const since = points.length > 0 ? timeOf(points.at(-1)!) - (parseDuration(keepWithin ?? '') ?? -1) : 0;
        const most =
          Object.values(counts).reduce((sum, count) => sum + count, 0) +
          points.filter((one) => timeOf(one) >= since).length +
          points.filter(({ hold }) => hold).length +
          points.findLastIndex(({ brake }) => brake) +
          1 +
          3;
        expect(idsKept(points, policy, LATER, zone).length).toBeLessThanOrEqual(most);
      }),
      { numRuns: 300 },
    );
  });

  it('every decision has a reason', () => {
    fc.assert(
      fc.property(anyHistory(), anyPolicy, anyZone, (points, policy, zone) => {
        const decisions = retention(points, policy, LATER, zone);
        expect(decisions.map(({ id }) => id)).toEqual(points.map(({ id }) => id).toReversed());
        for (const { keep, reasons } of decisions) {
          expect(reasons.length).toBeGreaterThan(0);
          expect(reasons.includes('no rule keeps it')).toBe(!keep);
        }
      }),
      { numRuns: 200 },
    );
  });
});

it('decides on ten thousand restore points in well under a second', () => {
  const points = daily('2000-01-01T00:00:00Z', 10_000);
  const policy = { keepLast: 10, keepDaily: 10, keepWeekly: 10, keepMonthly: 10, keepYearly: 10, keepWithin: '10d' };
  const began = performance.now();
  expect(retention(points, policy, LATER, BERLIN)).toHaveLength(10_000);
  expect(performance.now() - began).toBeLessThan(2_000);
});

describe('parseDuration', () => {
  it('reads days and hours', () => {
    expect(parseDuration('30d')).toBe(30 * DAY);
    expect(parseDuration('12h')).toBe(12 * HOUR);
    expect(parseDuration('99999d')).toBe(99_999 * DAY);
  });

  it.each(['', '30', 'd', '0d', '-1d', '1.5d', '1w', '30D', ' 30d', '30d ', '30 d', '1d12h', '100000d', '030d', '٣d'])(
    'reads nothing into %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );
});

describe('retentionProblem', () => {
  it.each<[RetentionPolicy]>([[{ keepLast: 1 }], [{ keepYearly: 10_000 }], [{ keepWithin: '12h' }]])(
    'has nothing to say of %j',
    (policy) => {
      expect(retentionProblem(policy)).toBeUndefined();
    },
  );

  it.each<[RetentionPolicy, string]>([
    [{}, 'at least one of "keepLast", "keepDaily"'],
    [{ keepLast: 0 }, 'keepLast must be'],
    [{ keepDaily: 1.5 }, 'keepDaily must be'],
    [{ keepWeekly: 10_001 }, 'keepWeekly must be'],
    [{ keepMonthly: Number.NaN }, 'keepMonthly must be'],
    [{ keepYearly: -1 }, 'keepYearly must be'],
    [{ keepWithin: 'x'.repeat(40) }, `"${'x'.repeat(40)}" is not a duration`],
    [{ keepWithin: 'x'.repeat(41) }, `"${'x'.repeat(40)}…" is not a duration`],
  ])('says what is wrong with %j', (policy, words) => {
    expect(retentionProblem(policy)).toContain(words);
  });
});
