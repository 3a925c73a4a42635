import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { agedRuns, isOfNoUse } from '#domain/prune/old-runs.ts';
import type { RunSummary } from '#domain/run/run.ts';

const NONE = { named: new Set<string>(), points: new Set<string>() };
const at = (day: number) => new Date(Date.UTC(2026, 0, day)).toISOString();
const before = Date.parse(at(10));

describe('aged runs', () => {
  it('are those that ended before the time, oldest first', () => {
    const ended = [9, 10, 3, 11].map((day) => ({ id: `run ${day}`, endedAt: at(day) }));
    expect(agedRuns(ended, NONE, before)).toEqual(['run 3', 'run 9']);
  });

  it('are none that anything names, and no restore points', () => {
    const ended = ['named', 'point', 'neither'].map((id) => ({ id, endedAt: at(1) }));
    expect(agedRuns(ended, { named: new Set(['named']), points: new Set(['point']) }, before)).toEqual(['neither']);
  });

  it('are none whose time cannot be read, and none by a limit that is not a number', () => {
    expect(agedRuns([{ id: 'run', endedAt: 'soon' }], NONE, before)).toEqual([]);
    expect(agedRuns([{ id: 'run', endedAt: at(1) }], NONE, Number.NaN)).toEqual([]);
  });

  it('are never more by more uses, and never fewer by a later time', () => {
    const ids = fc.subarray(['a', 'b', 'c', 'd']);
    const runs = fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), endedAt: fc.nat(30).map(at) }));
    fc.assert(
      fc.property(runs, ids, ids, fc.nat(30), fc.nat(30), (ended, named, points, day, later) => {
        const uses = { named: new Set(named), points: new Set(points) };
        const aged = agedRuns(ended, uses, Date.parse(at(day)));
        for (const id of aged) expect([...named, ...points]).not.toContain(id);
        expect(agedRuns(ended, NONE, Date.parse(at(day)))).toEqual(expect.arrayContaining(aged));
        expect(agedRuns(ended, uses, Date.parse(at(day + later)))).toEqual(expect.arrayContaining(aged));
      }),
    );
  });
});

describe('of no use but for its summary', () => {
  const run = (more: object) => ({ dryRun: false, restorePoint: false, ...more }) as unknown as RunSummary;
  const restoring = (status: string, restore: object, more = {}) => run({ mode: 'restore', status, restore, ...more });
  const points = new Set(['there']);

  it.each([
    ['a failed backup', run({ mode: 'full', status: 'failed' })],
    ['a verification', run({ mode: 'verify', status: 'completed-with-failures' })],
    ['a restore that succeeded', restoring('succeeded', { point: 'there' })],
    ['a cancelled restore', restoring('cancelled', { point: 'there' })],
    ['a dry restore', restoring('failed', { point: 'there' }, { dryRun: true })],
    ['a failed restore of a restore point that is gone', restoring('failed', { point: 'gone' })],
  ])('is %s', (_, summary) => {
    expect(isOfNoUse(summary, points)).toBe(true);
  });

  it.each([
    ['a restore point', run({ mode: 'full', status: 'succeeded', restorePoint: true })],
    ['a failed restore of a restore point that is there', restoring('failed', { point: 'there' })],
    ['a restore that failed in part', restoring('completed-with-failures', { point: 'there' })],
    ['a failed restore of a single file', restoring('failed', { point: '', file: { name: 'x' } })],
  ])('is not %s', (_, summary) => {
    expect(isOfNoUse(summary, points)).toBe(false);
  });
});
