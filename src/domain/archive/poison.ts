import type { ProblemCode } from '../run/problems.ts';
import { POISON_FORMAT } from '../run/stored-format.ts';
import type { Settlement } from './settlement.ts';

/** An upload that failed permanently. The vault keeps it until it is archived. */
export interface Poison {
  format: typeof POISON_FORMAT;
  id: string;
  rule: string;
  container: string;
  name: string;
  /** The version of the upload, if the event named it. */
  etag?: string;
  /** Why the last attempt failed. */
  problem: { code: ProblemCode; message?: string };
  /** Times of the first and the last permanent failure. */
  since: string;
  at: string;
  /** Number of permanent failures. */
  times: number;
  state: 'open' | 'settled';
  settledAt?: string;
  /** If an operator has settled it; absent if it was archived, or is gone. */
  settlement?: Settlement;
}

/** The fields that a listing shows. */
export type PoisonLine = Pick<Poison, 'id' | 'name' | 'etag' | 'state' | 'since' | 'at' | 'times'> & {
  code: ProblemCode;
};

export function poisonLine({ id, name, etag, state, since, at, times, problem }: Poison): PoisonLine {
  return { id, name, ...(etag !== undefined && { etag }), state, since, at, times, code: problem.code };
}

/** The entry after a permanent failure, the first or another. */
export function afterPermanentFailure(
  before: Poison | undefined,
  upload: Pick<Poison, 'id' | 'rule' | 'container' | 'name' | 'etag' | 'problem'>,
  now: Date,
): Poison {
  const isOpen = before?.state === 'open';
  const at = now.toISOString();
  return {
    format: POISON_FORMAT,
    ...upload,
    since: isOpen ? before.since : at,
    at,
    times: (isOpen ? before.times : 0) + 1,
    state: 'open',
  };
}

/** The entry once nothing is left to archive, or an operator has settled it. */
export function settledPoison(before: Poison, now: Date, settlement?: Settlement): Poison {
  return { ...before, state: 'settled', settledAt: now.toISOString(), ...(settlement && { settlement }) };
}

export function isPoison(value: unknown): value is Poison {
  if (typeof value !== 'object' || value === null) return false;
  const { format, id, name, problem, state, since, at, times } = value as Partial<Poison>;
  return (
    format === POISON_FORMAT &&
    [id, name, since, at, problem?.code].every((each) => typeof each === 'string') &&
    Number.isSafeInteger(times) &&
    (state === 'open' || state === 'settled')
  );
}

export function isPoisonLine(value: unknown): value is PoisonLine {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, code, state, at } = value as Partial<PoisonLine>;
  return [id, name, code, at].every((each) => typeof each === 'string') && (state === 'open' || state === 'settled');
}
