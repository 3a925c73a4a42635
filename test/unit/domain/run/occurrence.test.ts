import { describe, expect, it } from 'vitest';
import { dueAt, servingRun, withServed } from '#domain/run/occurrence.ts';

const at = (text: string) => new Date(text);
const NIGHTLY = '0 30 23 * * *';
const DUE = at('2026-07-01T21:30:00.000Z');
const due = (now: string, last?: string) =>
  dueAt(NIGHTLY, 'Europe/Berlin', at(now), last ? { last: at(last) } : undefined);

describe('the occurrence of a tick', () => {
  it('is the nearest one, also if the tick comes early', () => {
    expect(due('2026-07-01T21:29:59.996Z', '2026-07-01T20:30:00Z')).toEqual(DUE);
    expect(due('2026-07-01T21:29:30Z')).toEqual(DUE);
    expect(due('2026-07-01T21:29:29Z')).toBeUndefined();
    expect(dueAt('0 * * * * *', 'UTC', at('2026-07-01T12:00:59.996Z'), undefined)).toEqual(at('2026-07-01T12:01:00Z'));
    expect(dueAt('0 * * * * *', 'UTC', at('2026-07-01T12:01:00.004Z'), undefined)).toEqual(at('2026-07-01T12:01:00Z'));
  });

  it('is up to an hour old, so that the next tick can start what one did not', () => {
    expect(due('2026-07-01T22:30:00Z', '2026-07-01T21:30:00Z')).toEqual(DUE);
    expect(due('2026-07-01T23:30:00Z', '2026-07-01T22:30:00Z')).toBeUndefined();
    expect(due('2026-07-01T23:30:00Z')).toBeUndefined();
  });

  it('is the newest since the last tick, however long ago that was', () => {
    expect(due('2026-07-02T09:00:00Z', '2026-06-01T00:00:00Z')).toEqual(DUE);
    expect(due('2026-07-02T09:00:00Z', '2026-07-02T08:00:00Z')).toBeUndefined();
  });

  it('at the first tick of a timer, is not in the past of that tick', () => {
    const first = (now: string, next: string) =>
      dueAt(NIGHTLY, 'Europe/Berlin', at(now), { next: at(next) })?.toISOString();
    expect(first('2026-07-01T22:00:00.004Z', '2026-07-01T22:00:00Z')).toBeUndefined();
    expect(first('2026-07-01T21:29:59.996Z', '2026-07-01T21:30:00Z')).toBe(DUE.toISOString());
    // The tick came late.
    expect(first('2026-07-01T21:42:00Z', '2026-07-01T21:30:00Z')).toBe(DUE.toISOString());
  });

  it('at the first tick of a changed schedule, is not in the past of the change, however late the tick', () => {
    const changed = (now: string, lastUpdated: string) =>
      dueAt(NIGHTLY, 'Europe/Berlin', at(now), { lastUpdated: at(lastUpdated), next: at('2026-07-01T22:00:00Z') });
    expect(changed('2026-07-01T22:00:00Z', '2026-07-01T21:40:00Z')).toBeUndefined();
    expect(changed('2026-07-02T09:00:00Z', '2026-07-01T21:40:00Z')).toBeUndefined();
    expect(changed('2026-07-02T09:00:00Z', '2026-07-01T21:20:00Z')).toEqual(DUE);
  });

  it('F30: is the newest since what the vault remembers, whatever the host knows', () => {
    const now = at('2026-07-04T09:20:00Z');
    const newest = at('2026-07-03T21:30:00Z');
    const fresh = { next: at('2026-07-04T09:30:00Z') };
    for (const status of [undefined, {}, fresh, { next: now }, { last: at('2026-07-04T08:30:00Z') }]) {
      const since = (time: Date, isSettled: boolean) =>
        dueAt(NIGHTLY, 'Europe/Berlin', now, status, { at: time, isSettled });
      expect(since(DUE, true)).toEqual(newest);
      expect(since(newest, true)).toBeUndefined();
      expect(since(newest, false)).toEqual(newest);
      // The schedule was new then.
      expect(since(at('2026-07-04T00:00:00Z'), true)).toBeUndefined();
    }
  });

  it('is the newest of the last hour for a timer that is invoked by hand before its first tick', () => {
    const status = { lastUpdated: at('2026-07-01T22:10:00Z'), next: at('2026-07-01T22:30:00Z') };
    expect(dueAt(NIGHTLY, 'Europe/Berlin', at('2026-07-01T22:15:00Z'), status)).toEqual(DUE);
  });
});

describe('F30: the mark of an occurrence', () => {
  const schedule = `${NIGHTLY} Europe/Berlin`;
  const occurrence = { what: 'backup', at: DUE, schedule, ticked: false } as const;
  const now = at('2026-07-01T21:31:00Z');
  const later = at('2026-07-02T21:30:00Z');

  it('holds for it, and for older ones of the same schedule', () => {
    const served = withServed(undefined, occurrence, 'a');
    expect(servingRun(served, occurrence, now)).toBe('a');
    expect(servingRun(served, { ...occurrence, at: at('2026-06-30T21:30:00Z') }, now)).toBe('a');
    expect(servingRun(served, { ...occurrence, at: later }, later)).toBeUndefined();
    expect(servingRun(served, { ...occurrence, what: 'verify' }, now)).toBeUndefined();
    expect(servingRun(undefined, occurrence, now)).toBeUndefined();
  });

  it('replaces the older mark of its schedule only', () => {
    const served = withServed(withServed(undefined, occurrence, 'a'), { ...occurrence, what: 'prune' }, 'b');
    expect(withServed(served, { ...occurrence, at: later }, 'c')).toEqual({
      backup: { at: later.toISOString(), run: 'c', schedule },
      prune: { at: DUE.toISOString(), run: 'b', schedule },
    });
  });

  it('F5: does not outlive a clock that was ahead', () => {
    const served = withServed(undefined, { ...occurrence, at: at('2040-01-01T00:00:00Z') }, 'a');
    expect(servingRun(served, occurrence, now)).toBeUndefined();
  });

  it('of another schedule holds for a time at which the timer ticked before the schedule changed', () => {
    const served = withServed(undefined, { ...occurrence, schedule: '0 30 4 * * * UTC' }, 'a');
    const next = { ...occurrence, at: later };
    expect(servingRun(served, { ...next, ticked: true }, later)).toBe('a');
    expect(servingRun(served, { ...next, ticked: false }, later)).toBeUndefined();
    expect(servingRun(withServed(undefined, occurrence, 'a'), { ...next, ticked: true }, later)).toBeUndefined();
    // Written before marks named their schedule.
    const unnamed = { backup: { at: DUE.toISOString(), run: 'a' } };
    expect(servingRun(unnamed, { ...next, ticked: true }, later)).toBeUndefined();
  });

  it('is none if it is not a time', () => {
    const served = { backup: { at: 'soon', run: 'a' } };
    expect(servingRun(served, occurrence, now)).toBeUndefined();
  });
});
