import { describe, expect, it } from 'vitest';
import { dueAt, servingRun, withServed } from '#domain/run/occurrence.ts';

const at = (text: string) => new Date(text);
const NIGHTLY = '0 30 23 * * *';
const DUE = at('2026-07-01T21:30:00.000Z');
const due = (now: string, last?: string) => dueAt(NIGHTLY, 'Europe/Berlin', at(now), last ? at(last) : undefined);

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
});

describe('F30: the mark of an occurrence', () => {
  const occurrence = { what: 'backup', at: DUE } as const;
  const now = at('2026-07-01T21:31:00Z');
  const later = at('2026-07-02T21:30:00Z');

  it('holds for it, and for older ones of the same schedule', () => {
    const served = withServed(undefined, occurrence, 'a');
    expect(servingRun(served, occurrence, now)).toBe('a');
    expect(servingRun(served, { what: 'backup', at: at('2026-06-30T21:30:00Z') }, now)).toBe('a');
    expect(servingRun(served, { what: 'backup', at: later }, later)).toBeUndefined();
    expect(servingRun(served, { what: 'verify', at: DUE }, now)).toBeUndefined();
    expect(servingRun(undefined, occurrence, now)).toBeUndefined();
  });

  it('replaces the older mark of its schedule only', () => {
    const served = withServed(withServed(undefined, occurrence, 'a'), { what: 'prune', at: DUE }, 'b');
    expect(withServed(served, { what: 'backup', at: later }, 'c')).toEqual({
      backup: { at: later.toISOString(), run: 'c' },
      prune: { at: DUE.toISOString(), run: 'b' },
    });
  });

  it('F5: does not outlive a clock that was ahead', () => {
    const served = withServed(undefined, { what: 'backup', at: at('2040-01-01T00:00:00Z') }, 'a');
    expect(servingRun(served, occurrence, now)).toBeUndefined();
  });

  it('is none if it is not a time', () => {
    const served = { backup: { at: 'soon', run: 'a' } };
    expect(servingRun(served, occurrence, now)).toBeUndefined();
  });
});
