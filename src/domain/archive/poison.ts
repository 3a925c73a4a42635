import type { ProblemCode } from '../run/problems.ts';
import { POISON_FORMAT } from '../run/stored-format.ts';

/** An upload that could not be archived however often it was tried, kept until it is. */
export interface Poison {
  format: typeof POISON_FORMAT;
  id: string;
  rule: string;
  container: string;
  name: string;
  /** The version that was told of, where the event said which. */
  etag?: string;
  /** Why the last try failed. */
  problem: { code: ProblemCode; message?: string };
  /** When it was first given up, and when last. */
  since: string;
  at: string;
  /** How often it has been given up. */
  times: number;
  state: 'open' | 'settled';
  settledAt?: string;
}

/** What a listing tells of it. */
export type PoisonLine = Pick<Poison, 'id' | 'name' | 'etag' | 'state' | 'since' | 'at' | 'times'> & {
  code: ProblemCode;
};

export function poisonLine({ id, name, etag, state, since, at, times, problem }: Poison): PoisonLine {
  return { id, name, ...(etag !== undefined && { etag }), state, since, at, times, code: problem.code };
}

/** The entry after an upload has been given up, for the first time or once more. */
export function givenUp(
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
