import { describe, expect, it, test } from 'vitest';
import { nextAfter } from '#domain/run/schedule.ts';
import type { Condition } from '#domain/watch/conditions.ts';
import type { KnownRun } from '#domain/watch/known-run.ts';
import {
  dueMessages,
  NOTHING,
  type Notices,
  type Route,
  type Summary,
  withConditions,
  withoutSent,
  withRunEnds,
  withSummaries,
} from '#domain/watch/notices.ts';
import type { RunEnd } from '#domain/watch/run-end.ts';
import { EMPTY_STATE, isWatchState, usualMs, withAnswers, withRuns, withSent } from '#domain/watch/state.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-03-02T00:00:00Z');
const at = (hours: number) => new Date(START + hours * HOUR);

const condition = (more: Partial<Condition> = {}): Condition => ({
  ...{ id: 'failed/backup/nightly', condition: 'failed', severity: 'error', job: 'nightly' },
  ...{ since: at(0).toISOString(), title: 'a', message: 'b', hint: 'c' },
  ...more,
});
const OPS: Route = { channel: 'ops', when: ['error'], recovered: true };

/** Plays what is open at each hour, and returns what is sent then, if all of it is taken. */
function played(routes: Route[], hours: [hour: number, open: Condition[]][], isKnown = true): string[] {
  let notices: Notices = NOTHING;
  const sent: string[] = [];
  for (const [hour, open] of hours) {
    notices = withConditions(notices, open, { routes, now: at(hour), isKnown: () => isKnown });
    const messages = dueMessages(notices, ['ops', 'mail'], at(hour));
    notices = withoutSent(notices, { taken: messages, logged: notices.changes ?? [] });
    for (const { channel, notices: all } of messages) {
      sent.push(`${hour} ${channel} ${all.map(({ type, condition: { id } }) => `${type} ${id}`).join(' + ')}`);
    }
  }
  expect(notices.outbox.filter(({ due }) => due === undefined)).toEqual([]);
  return sent;
}

const ID = 'failed/backup/nightly';

test('a condition is reported when it opens and when it closes', () => {
  const open = [condition()];
  expect(
    played(
      [OPS],
      [
        [0, open],
        [1, open],
        [2, []],
        [3, []],
      ],
    ),
  ).toEqual([`0 ops opened ${ID}`, `2 ops closed ${ID}`]);
});

test('one that another of the same runs replaces says so when it closes, and is no all-clear', () => {
  const first = condition({ id: 'incomplete/backup/nightly', condition: 'incomplete' });
  const worse = condition({ id: 'not-started/backup/nightly', condition: 'not-started', title: 'it did not start' });
  const other = condition({ id: 'failed/verify/nightly', title: 'another kind' });
  const closed = (open: Condition[]) => {
    const sending = { routes: [OPS], now: at(0), isKnown: () => true };
    const before = withConditions(NOTHING, [first], sending);
    return withConditions(before, open, sending).outbox.filter(({ type }) => type === 'closed');
  };
  expect(closed([worse, other]).map(({ replacedBy }) => replacedBy)).toEqual(['it did not start']);
  expect(closed([other]).map(({ replacedBy }) => replacedBy)).toEqual([undefined]);
});

test('it is reported again in the interval of its route', () => {
  const open = [condition()];
  const route = { ...OPS, repeatMs: 24 * HOUR, recovered: false };
  expect(
    played(
      [route],
      [
        [0, open],
        [23, open],
        [24, open],
        [47, open],
        [48, open],
        [49, []],
      ],
    ),
  ).toEqual([`0 ops opened ${ID}`, `24 ops repeated ${ID}`, `48 ops repeated ${ID}`]);
});

test('it is reported again each time that its count has doubled', () => {
  const poison = (count: number) => [condition({ id: 'poison/a', count })];
  expect(
    played(
      [OPS],
      [
        [0, poison(2)],
        [1, poison(3)],
        [2, poison(4)],
        [3, poison(7)],
        [4, poison(9)],
      ],
    ),
  ).toEqual(['0 ops opened poison/a', '2 ops repeated poison/a', '4 ops repeated poison/a']);
});

test('what a pass cannot find out about stays as it was', () => {
  expect(
    played(
      [OPS],
      [
        [0, [condition()]],
        [1, []],
        [2, [condition()]],
      ],
      false,
    ),
  ).toEqual([`0 ops opened ${ID}`]);
});

test('a route chooses by severity, by condition and by job, and the first of a channel counts', () => {
  const warning = condition({ id: 'slow/backup/nightly', condition: 'slow', severity: 'info' });
  const other = condition({ id: 'failed/backup/other', job: 'other' });
  const account = condition({ id: 'out-of-reach/A', condition: 'out-of-reach', account: 'A' });
  const { job, ...accountOnly } = account;
  expect(job).toBe('nightly');
  const all = [condition(), warning, other, accountOnly];
  const sentBy = (routes: Route[]) => played(routes, [[0, all]]).map((each) => each.split(' ').at(-1));
  expect(sentBy([{ ...OPS, when: ['slow'] }])).toEqual(['slow/backup/nightly']);
  expect(sentBy([{ ...OPS, when: ['error'], jobs: ['other'] }])).toEqual(['failed/backup/other']);
  expect(sentBy([{ ...OPS, when: ['all'] }, OPS])).toHaveLength(4);
});

test('a channel that was added later does not hear that a condition is over', () => {
  const known = { isKnown: () => true };
  const open = withConditions(NOTHING, [condition()], { ...known, routes: [OPS], now: at(0) });
  const routes = [OPS, { ...OPS, channel: 'mail' }];
  const { outbox } = withConditions(open, [], { ...known, routes, now: at(1) });
  expect(outbox.map(({ channel, type }) => `${type} ${channel}`)).toEqual(['opened ops', 'closed ops']);
});

test('a condition keeps the time at which it was first seen', () => {
  const found = (hours: number) => condition({ id: 'brake/nightly', since: at(hours).toISOString() });
  const known = { routes: [OPS], isKnown: () => true };
  const first = withConditions(NOTHING, [found(0)], { ...known, now: at(0) });
  const second = withConditions(first, [found(5)], { ...known, now: at(5) });
  expect(second.open['brake/nightly']!.condition.since).toBe(at(0).toISOString());
});

test('a channel is not asked to report that it takes nothing', () => {
  const own = condition({ id: 'undelivered/ops', condition: 'undelivered', channel: 'ops' });
  const mail: Route = { ...OPS, channel: 'mail' };
  expect(played([OPS, mail], [[0, [own]]])).toEqual(['0 mail opened undelivered/ops']);
});

test('a digest collects what happened until its time, and is one message', () => {
  const digestAfter = (now: Date) => nextAfter('0 0 8 * * *', 'UTC', now);
  const route: Route = { ...OPS, digestAfter };
  const second = condition({ id: 'brake/nightly' });
  expect(
    played(
      [route],
      [
        [0, [condition()]],
        [3, [condition(), second]],
        [7, [second]],
        [8, [second]],
        [9, [second]],
      ],
    ),
  ).toEqual([`8 ops opened ${ID} + opened brake/nightly + closed ${ID}`]);
});

test('a digest of a week has what opened on its first day', () => {
  const digestAfter = (now: Date) => nextAfter('0 0 8 * * SUN', 'UTC', now);
  const open = [condition()];
  expect(
    played(
      [{ ...OPS, digestAfter }],
      [
        [0, open],
        [100, open],
        [152, open],
      ],
    ),
  ).toEqual([`152 ops opened ${ID}`]);
});

test('a message that is not taken keeps its id, and has an end', () => {
  const routes = [OPS];
  let notices = withConditions(NOTHING, [condition()], { routes, now: at(0), isKnown: () => true });
  const [{ id } = { id: '' }] = dueMessages(notices, ['ops'], at(0));
  notices = withConditions(notices, [condition()], { routes, now: at(71), isKnown: () => true });
  expect(dueMessages(notices, ['ops'], at(71)).map((message) => message.id)).toEqual([id]);
  notices = withConditions(notices, [condition()], { routes, now: at(72), isKnown: () => true });
  expect(notices.outbox).toEqual([]);
});

test('a channel that takes nothing for long keeps the newest hundred', () => {
  const routes = [{ ...OPS, repeatMs: HOUR / 10 }];
  let notices = NOTHING;
  for (let pass = 0; pass < 150; pass++) {
    notices = withConditions(notices, [condition()], { routes, now: at(pass / 10), isKnown: () => true });
  }
  expect(notices.outbox).toHaveLength(100);
  expect(notices.outbox.at(-1)!.at).toBe(at(14.9).toISOString());
});

const ended = (more: Partial<RunEnd> = {}): RunEnd => ({
  ...{ id: 'restored/r', condition: 'restored', severity: 'info', job: 'nightly', run: 'r' },
  ...{ since: at(0).toISOString(), title: 'a', message: 'b', hint: 'c' },
  ...more,
});

test('the end of a run goes to channels that name it, its severity or everything, and to no other', () => {
  const routes: Route[] = [
    { channel: 'name', when: ['restored'], recovered: true },
    { channel: 'severity', when: ['info'], recovered: true },
    { channel: 'all', when: ['all'], recovered: true },
    { channel: 'errors', when: ['error', 'critical'], recovered: true },
    { channel: 'others', when: ['all'], jobs: ['other'], recovered: true },
    { channel: 'prunes', when: ['pruned', 'cancelled'], recovered: true },
  ];
  const { outbox } = withRunEnds(NOTHING, [ended()], { routes, now: at(0) });
  expect(outbox.map(({ channel, type }) => `${type} ${channel}`)).toEqual([
    'ended name',
    'ended severity',
    'ended all',
  ]);
});

test('the end of a run goes once to a channel that several entries name', () => {
  const routes: Route[] = [
    { ...OPS, when: ['restored'] },
    { ...OPS, when: ['all'] },
  ];
  expect(withRunEnds(NOTHING, [ended()], { routes, now: at(0) }).outbox).toHaveLength(1);
});

test('the message about the end of a run has one id, whenever it is decided', () => {
  const ids = [0, 1].map((hour) => {
    const { outbox } = withRunEnds(NOTHING, [ended()], { routes: [{ ...OPS, when: ['all'] }], now: at(hour) });
    return outbox[0]!.id;
  });
  expect(ids[0]).toBe(ids[1]);
  const other = withRunEnds(NOTHING, [ended({ id: 'restored/s' })], {
    routes: [{ ...OPS, when: ['all'] }],
    now: at(0),
  });
  expect(other.outbox[0]!.id).not.toBe(ids[0]);
});

test('the digests of two vaults at one time are two messages', () => {
  const digestAfter = (now: Date) => nextAfter('0 0 8 * * *', 'UTC', now);
  const of = (id: string) => {
    const notices = withConditions(NOTHING, [condition({ id }), condition({ id: `${id}2` })], {
      ...{ routes: [{ ...OPS, digestAfter }], now: at(0), isKnown: () => true },
    });
    return dueMessages(notices, ['ops'], at(8));
  };
  const [first, second] = [of('failed/backup/a'), of('failed/backup/b')];
  expect([first, second].map((messages) => messages.map(({ notices }) => notices.length))).toEqual([[2], [2]]);
  expect(first[0]!.id).not.toBe(second[0]!.id);
});

describe('a digest that always comes', () => {
  const route: Route = {
    ...{ channel: 'mail', when: ['error'], recovered: true, always: true },
    digestAfter: (now) => nextAfter('0 0 8 * * *', 'UTC', now),
  };
  const summary: Summary = { condition: 'summary', severity: 'info', title: 'All is well', message: 'x', hint: 'y' };
  const known = { routes: [route], busy: new Set<string>(), summaryFor: () => summary };

  /** The hours at which a summary was decided, of passes at these hours. */
  function decided(hours: number[], busyAt: number[] = [], routes = [route]): number[] {
    let next: Record<string, string> = {};
    return hours.filter((hour) => {
      const busy = new Set(busyAt.includes(hour) ? ['mail'] : []);
      const found = withSummaries(NOTHING, next, { ...known, routes, busy, now: at(hour) });
      next = found.next;
      return found.notices.outbox.length > 0;
    });
  }

  it('comes once at each of its times, and not before the first', () => {
    expect(decided([0, 7, 7.9, 8, 8.1, 12, 31, 32.5, 33])).toEqual([8, 32.5]);
  });

  it('leaves it to a digest that has something to report', () => {
    expect(decided([0, 8, 8.1, 32], [8])).toEqual([32]);
  });

  it('comes once for a time of many days', () => {
    expect(decided([0, 24 * 30, 24 * 30 + 1])).toEqual([24 * 30]);
  });

  it('is not for digests that do not say so', () => {
    expect(decided([0, 8, 32], [], [{ ...route, always: false }])).toEqual([]);
  });

  it('comes once a day when clocks change, also at an hour that is skipped or repeated', () => {
    const digestAfter = (now: Date) => nextAfter('0 30 2 * * *', 'Europe/Berlin', now);
    const times = (from: string) => {
      const first = (Date.parse(from) - START) / HOUR;
      const passes = Array.from({ length: 3 * 48 }, (_, index) => first + index / 2);
      return decided(passes, [], [{ ...route, digestAfter }]).map((hour) => at(hour).toISOString());
    };
    expect(times('2026-03-28T00:00:00Z')).toEqual([
      ...['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'],
    ]);
    expect(times('2026-10-24T00:00:00Z').map((time) => time.slice(0, 10))).toEqual([
      ...['2026-10-24', '2026-10-25', '2026-10-26'],
    ]);
  });

  it('is one for entries that differ only in what they collect, at each of their times', () => {
    const evening = (now: Date) => nextAfter('0 0 20 * * *', 'UTC', now);
    const routes: Route[] = [route, { ...route, when: ['warning'], digestAfter: evening }];
    expect(decided([0, 8, 12, 20, 24, 32, 33], [], routes)).toEqual([8, 20, 32]);
    const { notices } = withSummaries(NOTHING, { mail: at(8).toISOString() }, { ...known, routes, now: at(8) });
    expect(notices.outbox).toHaveLength(1);
  });

  it('follows a schedule that has changed', () => {
    const late = { mail: at(500).toISOString() };
    expect(withSummaries(NOTHING, late, { ...known, now: at(0) }).next).toEqual({ mail: at(8).toISOString() });
  });

  it('is a message of its own at once, one for each choice of jobs', () => {
    const routes = [route, { ...route, jobs: ['a', 'b'] }];
    const due = { mail: at(8).toISOString(), 'mail/a/b': at(8).toISOString() };
    const { notices } = withSummaries(NOTHING, due, { ...known, routes, now: at(8) });
    const messages = dueMessages(notices, ['mail'], at(8));
    expect(messages.map((message) => message.notices.map((notice) => notice.condition.id))).toEqual([
      ['summary/mail'],
      ['summary/mail/a/b'],
    ]);
    expect(new Set(messages.map(({ id }) => id)).size).toBe(2);
  });
});

const run = (id: string, hour: number, more: Partial<KnownRun> = {}): KnownRun => ({
  ...{ id: `nightly-${id}`, job: 'nightly', mode: 'incremental', trigger: 'timer', status: 'succeeded', dryRun: false },
  ...{ startedAt: at(hour).toISOString(), finishedAt: at(hour + 1).toISOString() },
  ...more,
});

test('the state remembers of each kind the newest run, the newest good one, and those in progress', () => {
  const rows = [
    run('3', 3, { status: 'running' }),
    run('2', 2, { status: 'failed' }),
    run('1', 1),
    run('0', 0, { dryRun: true }),
  ];
  const state = withRuns(EMPTY_STATE, rows, at(4));
  expect(state.kinds['nightly backup']).toMatchObject({ ended: { id: 'nightly-2' }, good: { id: 'nightly-1' } });
  expect(Object.keys(state.unfinished)).toEqual(['nightly-3']);
  expect(withRuns(state, rows, at(4))).toEqual(state);
  const cancelled = withRuns(state, [run('3', 3, { status: 'cancelled' })], at(5));
  expect(cancelled.kinds['nightly backup']).toMatchObject({
    ended: { id: 'nightly-2' },
    last: { status: 'cancelled' },
  });
  expect(cancelled.unfinished).toEqual({});
  expect(isWatchState(JSON.parse(JSON.stringify(cancelled)))).toBe(true);
  expect(isWatchState({ ...cancelled, seen: 1 })).toBe(false);
});

test('a scheduled prune is a prune, though it may have only planned', () => {
  const plan = (trigger: string) => run('1', 1, { mode: 'prune', dryRun: true, trigger });
  expect(withRuns(EMPTY_STATE, [plan('timer')], at(2)).kinds['nightly prune']?.good).toBeDefined();
  expect(withRuns(EMPTY_STATE, [plan('http')], at(2)).kinds).toEqual({});
});

test('a run that nothing ends is forgotten after a week', () => {
  const state = withRuns(EMPTY_STATE, [run('1', 1, { status: 'running' })], at(2));
  expect(withRuns(state, [], at(24 * 8)).unfinished).toEqual({});
});

test('what is usual is the median of the last ten, once three are known', () => {
  expect(usualMs({ tookMs: [1, 2] })).toBeUndefined();
  expect(usualMs({ tookMs: [900, 1, 5] })).toBe(5);
});

test('passes without an answer are counted, and those of other apps stay', () => {
  const before = { ...EMPTY_STATE, silent: { OTHER: { passes: 2, code: 'unreachable' as const } } };
  const once = withAnswers(before, new Map([['A', 'unreachable' as const]]), at(0));
  const twice = withAnswers(once, new Map([['A', 'unreachable' as const]]), at(1));
  expect(twice.silent.A).toEqual({ passes: 2, code: 'unreachable', since: at(0).toISOString() });
  expect(once.silent).toMatchObject({ A: { passes: 1 }, OTHER: { passes: 2 } });
  expect(withAnswers(once, new Map([['A', undefined]]), at(1)).silent).toEqual(before.silent);
});

test('a channel refuses since its first message that it did not take', () => {
  const first = withSent(EMPTY_STATE, { taken: [], refusedBy: new Set(['ops']), logged: [] }, at(1));
  const second = withSent(first, { taken: [], refusedBy: new Set(['ops']), logged: [] }, at(2));
  expect(second.refused).toEqual({ ops: at(1).toISOString() });
  const taken = [{ id: 'x', channel: 'ops', notices: [] }];
  expect(withSent(second, { taken, refusedBy: new Set(), logged: [] }, at(3)).refused).toEqual({});
});
