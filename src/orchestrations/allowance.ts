import type { Problem } from '#domain/run/problems.ts';
import {
  DELETIONS_ALLOWED,
  FAILURES_ALLOWED,
  INTERRUPTIONS_ALLOWED,
  WAIT_AFTER_FAILURE,
  WAIT_WHILE_DELETED,
} from './limits.ts';

const LONGEST_WAIT = 60;

/** What makes a step fail. Each has an allowance of its own: one that is used up says nothing about the others. */
type Cause = 'interrupted' | 'deleted' | 'other';

/** How often a step has failed so far, by cause. */
export type Failures = Partial<Record<Cause, number>>;

function causeOf({ code }: Problem): Cause {
  if (code === 'interrupted') return 'interrupted';
  return code === 'container-being-deleted' ? 'deleted' : 'other';
}

const ALLOWED: Record<Cause, number> = {
  interrupted: INTERRUPTIONS_ALLOWED,
  deleted: DELETIONS_ALLOWED,
  other: FAILURES_ALLOWED,
};

/** The failures of a step after it has failed once more. */
export function withFailure(before: Failures | undefined, problem: Problem): Failures {
  const cause = causeOf(problem);
  return { ...before, [cause]: (before?.[cause] ?? 0) + 1 };
}

/** Whether a step that has failed this often may be tried again. */
export function mayTryAgain(problem: Problem, failures: Failures): boolean {
  const cause = causeOf(problem);
  return (failures[cause] ?? 0) <= ALLOWED[cause];
}

/**
 * Seconds until a step is tried again. The end of a process interrupts the steps of many containers at the same moment.
 * If they all began again together, one that ends the process each time would cost all of them each try.
 */
export function waitAfter(problem: Problem, { interrupted = 1 }: Failures, container: string): number {
  const cause = causeOf(problem);
  if (cause === 'deleted') return WAIT_WHILE_DELETED;
  if (cause === 'other') return WAIT_AFTER_FAILURE;
  const wait = Math.min(WAIT_AFTER_FAILURE * 2 ** (interrupted - 1), LONGEST_WAIT);
  return wait + (hashOf(container) % wait);
}

/**
 * Whether a step has been interrupted so often that it may be what ends the process. It is tried again without the
 * other steps of its container.
 */
export function isSuspect(problem: Problem, { interrupted = 0 }: Failures): boolean {
  return causeOf(problem) === 'interrupted' && interrupted >= 2;
}

function hashOf(text: string): number {
  let hash = 0;
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)!) % 1_000_003;
  return hash;
}
