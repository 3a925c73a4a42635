import { expect, test } from 'vitest';
import { type Proof, withProof } from '#domain/run/restore-point.ts';

const proof = (run: string, at: string, more: Partial<Proof> = {}): Proof => ({
  ...{ run, at, kind: 'deep', items: 9, read: 9, failed: 0 },
  ...more,
});

test('the last verification of each kind counts, by whatever clock', () => {
  const first = proof('first', '2026-05-01T10:00:00.000Z', { failed: 1 });
  const last = proof('last', '2026-05-02T10:00:00.000Z');
  const quick = proof('quick', '2026-05-01T11:00:00.000Z', { kind: 'quick' });
  expect([first, quick, last].reduce(withProof, {})).toEqual({ proofs: [quick, last] });
  expect([last, quick, first].reduce(withProof, {})).toEqual({ proofs: [quick, first] });
});

test('a result leaves the rest of the notes as it is', () => {
  const hold = { at: '2026-05-01T10:00:00.000Z', reason: 'audit' };
  expect(withProof({ hold }, proof('run', '2026-05-01T10:00:00.000Z'))).toMatchObject({ hold });
});
