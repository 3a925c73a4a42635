import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Outcome, outcomeOf } from '#domain/run/outcome.ts';
import { PROBLEMS, type ProblemCode } from '#domain/run/problems.ts';
import {
  addTally,
  countOutcome,
  countPlanned,
  countProblem,
  emptyTally,
  type Tally,
  tallyFromMetadata,
  tallyToMetadata,
} from '#domain/run/tally.ts';
import { anyBlobState, blobState } from '../../../support/builders/blob-state.ts';

const codes = Object.keys(PROBLEMS) as ProblemCode[];
const anyOutcome = fc
  .record({
    blob: anyBlobState,
    status: fc.constantFrom('copied' as const, 'unchanged' as const, 'skipped' as const, 'failed' as const),
    code: fc.option(fc.constantFrom(...codes), { nil: undefined }),
    method: fc.constantFrom('sync' as const, 'properties' as const),
  })
  .map(
    ({ blob, status, code, method }): Outcome =>
      ({ ...outcomeOf(blob, 'copied'), status, method, ...(code && { code }) }) as Outcome,
  );

const tallied = (outcomes: Outcome[]): Tally => {
  const tally = emptyTally('images', 'imagesbackup');
  for (const outcome of outcomes) countOutcome(tally, outcome);
  return tally;
};

describe('a tally', () => {
  it('F18: counts each outcome once, under its status', () => {
    fc.assert(
      fc.property(fc.array(anyOutcome), (outcomes) => {
        const tally = tallied(outcomes);
        expect(tally.copied + tally.unchanged + tally.skipped + tally.failed).toBe(outcomes.length);
        for (const status of ['copied', 'unchanged', 'skipped', 'failed'] as const) {
          expect(tally[status]).toBe(outcomes.filter((outcome) => outcome.status === status).length);
        }
        const problems = Object.values(tally.problems).reduce((sum, count) => sum + count, 0);
        expect(problems).toBe(outcomes.filter(({ code }) => code !== undefined).length);
      }),
    );
  });

  it('adds up to the same however its outcomes are split', () => {
    fc.assert(
      fc.property(fc.array(anyOutcome), fc.array(anyOutcome), (a, b) => {
        const sum = tallied(a);
        addTally(sum, tallied(b));
        expect(sum).toEqual(tallied([...a, ...b]));
      }),
    );
  });

  it('adding one does not change it', () => {
    const from = tallied([outcomeOf(blobState(), 'failed', { code: 'throttled' })]);
    const before = structuredClone(from);
    addTally(emptyTally('images', ''), from);
    expect(from).toEqual(before);
  });

  it('counts no bytes where only properties were set', () => {
    expect(tallied([outcomeOf(blobState(), 'copied', { method: 'properties' })]).copiedBytes).toBe(0);
    expect(tallied([outcomeOf(blobState(), 'copied', { method: 'sync' })]).copiedBytes).toBe(10);
    expect(tallied([outcomeOf(blobState(), 'failed', { code: 'throttled' })]).copiedBytes).toBe(0);
  });

  it('counts what is planned by tier, and leaves out what moves no content', () => {
    const tally = emptyTally('images', '');
    const cool = blobState({ tier: 'Cool', size: 7 });
    countPlanned(tally, { from: cool, reason: 'new' });
    countPlanned(tally, { from: cool, reason: 'changed' });
    countPlanned(tally, { from: blobState({ tier: 'Hot', tierInferred: true }), reason: 'new' });
    countPlanned(tally, { from: cool, reason: 'tier' });
    expect(tally.transfers).toEqual({ 'Cool/Cool': [2, 14], 'Hot/': [1, 10] });
  });

  it('counts what is planned, and problems by their number', () => {
    const tally = emptyTally('images', '');
    countPlanned(tally, { from: blobState({ size: 7 }), reason: 'new' });
    countPlanned(tally, { from: blobState({ size: 5 }), reason: 'full' });
    countProblem(tally, 'throttled', 3);
    countProblem(tally, 'throttled');
    expect([tally.planned, tally.plannedBytes, tally.problems]).toEqual([2, 12, { throttled: 4 }]);
  });

  it('goes through metadata unchanged, within its limits', () => {
    fc.assert(
      fc.property(fc.array(anyOutcome), (outcomes) => {
        const tally = { ...tallied(outcomes), sha256: 'f'.repeat(64), last: true };
        for (const code of codes) countProblem(tally, code, 1_000_000);
        const metadata = tallyToMetadata(tally);
        expect(tallyFromMetadata(metadata)).toEqual(tally);
        const [[key, text]] = Object.entries(metadata) as [[string, string]];
        expect(text).toMatch(/^[\x21-\x7e]+$/);
        expect(key.length + text.length).toBeLessThan(8192);
      }),
    );
  });

  it.each([[undefined], [{}], [{ strongroom_tally: '{' }], [{ other: '{}' }]])('is not there in %j', (metadata) => {
    expect(tallyFromMetadata(metadata as Record<string, string> | undefined)).toBeUndefined();
  });
});
