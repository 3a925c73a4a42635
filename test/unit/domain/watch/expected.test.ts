import { describe, expect, it, test } from 'vitest';
import { dueAt, NO_RUN } from '#domain/run/occurrence.ts';
import { durationMs, durationProblem } from '#domain/watch/duration.ts';
import { doneFor, type Expectation, graceOf, type Known, standingOf } from '#domain/watch/expected.ts';

const HOUR = 3_600_000;
const at = (text: string) => new Date(text);
const NIGHTLY: Expectation = { schedule: '0 30 23 * * *', timeZone: 'UTC' };
const EARLY = at('2026-01-01T00:00:00Z');

interface Case {
  expectation: Expectation;
  now: string;
  since?: string;
  done?: string;
  running?: boolean;
}

function stateAt({ expectation, now, since, done, running = false }: Case) {
  const known: Known = { since: since ? at(since) : EARLY, doneFor: done ? at(done) : undefined, isRunning: running };
  const standing = standingOf(expectation, known, at(now));
  return 'dueAt' in standing ? `${standing.state} ${standing.dueAt.toISOString().slice(0, 16)}` : standing.state;
}

const BERLIN: Expectation = { schedule: '0 30 2 * * *', timeZone: 'Europe/Berlin' };
const WEEKDAYS: Expectation = { schedule: '0 0 4 * * 1-5', timeZone: 'UTC' };
const HOURLY: Expectation = { schedule: '0 0 * * * *', timeZone: 'UTC' };
const DAILY: Expectation = { timeZone: 'UTC', everyMs: 26 * HOUR };

describe('how an expectation stands', () => {
  it.each<[string, Case, string]>([
    [
      'done for the last occurrence',
      { expectation: NIGHTLY, now: '2026-03-03T12:00:00Z', done: '2026-03-02T23:30:00Z' },
      'ok',
    ],
    [
      'within the grace',
      { expectation: NIGHTLY, now: '2026-03-03T00:30:00Z', done: '2026-03-01T23:30:01Z' },
      'due 2026-03-02T23:30',
    ],
    [
      'after the grace',
      { expectation: NIGHTLY, now: '2026-03-03T01:30:01Z', done: '2026-03-01T23:30:01Z' },
      'overdue 2026-03-02T23:30',
    ],
    [
      'a grace that is configured',
      { expectation: { ...NIGHTLY, graceMs: 60_000 }, now: '2026-03-02T23:31:01Z', done: '2026-03-01T23:30:01Z' },
      'overdue 2026-03-02T23:30',
    ],
    [
      'in progress over the grace',
      { expectation: NIGHTLY, now: '2026-03-03T09:00:00Z', done: '2026-03-01T23:30:01Z', running: true },
      'running 2026-03-02T23:30',
    ],
    [
      'in progress over the next occurrence',
      { expectation: HOURLY, now: '2026-03-03T02:50:00Z', done: '2026-03-03T00:00:00Z', running: true },
      'running 2026-03-03T01:00',
    ],
    [
      'the first run, not yet due',
      { expectation: NIGHTLY, since: '2026-03-02T23:31:00Z', now: '2026-03-03T12:00:00Z' },
      'ok',
    ],
    [
      'the first run, overdue',
      { expectation: NIGHTLY, since: '2026-03-02T12:00:00Z', now: '2026-03-03T12:00:00Z' },
      'overdue 2026-03-02T23:30',
    ],
    [
      'a later run by hand does it, too',
      { expectation: NIGHTLY, now: '2026-03-03T12:00:00Z', done: '2026-03-03T08:00:00Z' },
      'ok',
    ],
    [
      'of several that are not done, the first counts',
      { expectation: NIGHTLY, now: '2026-03-05T23:31:00Z', done: '2026-03-01T23:30:00Z' },
      'overdue 2026-03-02T23:30',
    ],
    [
      'a cancelled run does not',
      { expectation: NIGHTLY, now: '2026-03-03T12:00:00Z', done: '2026-03-01T23:30:00Z' },
      'overdue 2026-03-02T23:30',
    ],
    [
      'weekdays only, on Sunday',
      { expectation: WEEKDAYS, now: '2026-03-08T12:00:00Z', done: '2026-03-06T04:00:00Z' },
      'ok',
    ],
    [
      'weekdays only, on Monday',
      { expectation: WEEKDAYS, now: '2026-03-09T07:00:00Z', done: '2026-03-06T04:00:00Z' },
      'overdue 2026-03-09T04:00',
    ],
    // On 29 March, 2:30 does not exist in Berlin: the occurrence is at the end of the gap, 3:00, which is 1:00 in UTC.
    [
      'clocks go forward',
      { expectation: BERLIN, now: '2026-03-29T01:01:00Z', done: '2026-03-28T01:30:00Z' },
      'due 2026-03-29T01:00',
    ],
    [
      'clocks go forward, done',
      { expectation: BERLIN, now: '2026-03-29T12:00:00Z', done: '2026-03-29T01:00:00Z' },
      'ok',
    ],
    // On 25 October, 2:30 is there twice: at 0:30 and 1:30 in UTC. The first counts.
    [
      'clocks go back, after the first',
      { expectation: BERLIN, now: '2026-10-25T00:31:00Z', done: '2026-10-24T00:30:00Z' },
      'due 2026-10-25T00:30',
    ],
    [
      'clocks go back, after the second',
      { expectation: BERLIN, now: '2026-10-25T01:31:00Z', done: '2026-10-25T00:30:00Z' },
      'ok',
    ],
    [
      'a time from before the clock was set back says nothing',
      { expectation: NIGHTLY, now: '2026-03-03T12:00:00Z', done: '2027-03-03T12:00:00Z' },
      'overdue 2026-01-01T23:30',
    ],
    [
      'clocks that differ by minutes',
      { expectation: NIGHTLY, now: '2026-03-03T12:00:00Z', done: '2026-03-03T12:10:00Z' },
      'ok',
    ],
    [
      'first seen by a clock ahead',
      { expectation: NIGHTLY, since: '2027-01-01T00:00:00Z', now: '2026-03-03T12:00:00Z' },
      'ok',
    ],
    ['an interval, in time', { expectation: DAILY, now: '2026-03-03T12:00:00Z', done: '2026-03-02T12:00:00Z' }, 'ok'],
    [
      'an interval, over',
      { expectation: DAILY, now: '2026-03-03T14:00:01Z', done: '2026-03-02T12:00:00Z' },
      'overdue 2026-03-03T14:00',
    ],
    [
      'an interval, never done',
      { expectation: DAILY, since: '2026-03-01T00:00:00Z', now: '2026-03-02T03:00:00Z' },
      'overdue 2026-03-02T02:00',
    ],
    [
      'an interval, since a pause ended',
      { expectation: DAILY, since: '2026-03-03T12:00:00Z', done: '2026-03-01T12:00:00Z', now: '2026-03-03T15:00:00Z' },
      'ok',
    ],
    ['nothing is expected', { expectation: { timeZone: 'UTC' }, now: '2026-03-03T12:00:00Z' }, 'unwatched'],
  ])('%s', (_, given, wanted) => {
    expect(stateAt(given)).toBe(wanted);
  });

  it.each([
    ['0 0 * * * *', 15],
    ['0 30 23 * * *', 120],
    ['0 0 */6 * * *', 36],
  ])('the grace of %s is %d minutes', (schedule, minutes) => {
    expect(graceOf(schedule, 'UTC', at('2026-03-02T00:00:00Z'))).toBe(minutes * 60_000);
  });
});

describe('the watch and the timer of a schedule', () => {
  it.each([
    ['0 30 2 * * *', 'Europe/Berlin'],
    ['0 15 0 * * 1-5', 'America/Santiago'],
    ['0 */20 1 * * *', 'Australia/Lord_Howe'],
  ])('agree for a year on what is due by %s in %s', (schedule, timeZone) => {
    const expectation: Expectation = { schedule, timeZone };
    let done = EARLY;
    let served = 0;
    for (let now = EARLY.getTime() + 7_000; now < EARLY.getTime() + 365 * 24 * HOUR; now += 65 * 60_000) {
      const due = dueAt(schedule, timeZone, new Date(now), undefined, { at: done, isSettled: true });
      const standing = standingOf(expectation, { since: EARLY, doneFor: done, isRunning: false }, new Date(now));
      expect('dueAt' in standing).toBe(due !== undefined);
      if (due && 'dueAt' in standing) expect(standing.dueAt.getTime()).toBeLessThanOrEqual(due.getTime());
      if (due) {
        done = due;
        served++;
      }
    }
    expect(served).toBeGreaterThan(250);
  });

  test('what a good run has served is done, though the run began before', () => {
    const mark = { at: '2026-03-02T23:30:00.000Z', run: 'a' };
    const began = at('2026-03-02T23:29:45.000Z');
    expect(doneFor(began, mark, () => true)).toEqual(at(mark.at));
    expect(doneFor(began, mark, () => false)).toEqual(began);
    expect(doneFor(undefined, mark, () => false)).toBeUndefined();
  });

  test('a schedule that has changed owes nothing for the time before', () => {
    const mark = { at: '2026-03-02T23:30:00.000Z', run: NO_RUN };
    expect(doneFor(undefined, mark, () => false)).toEqual(at(mark.at));
  });
});

test('durations have a number and a unit', () => {
  expect(['90m', '26h', '35d'].map(durationMs)).toEqual([90 * 60_000, 26 * HOUR, 35 * 24 * HOUR]);
  for (const wrong of ['', '0h', '1', 'h', '1w', '1.5h', '99999d', '-1h', ' 1h']) {
    expect(durationProblem(wrong), wrong).toContain('is not a duration');
    expect(() => durationMs(wrong)).toThrow('is not a duration');
  }
});
