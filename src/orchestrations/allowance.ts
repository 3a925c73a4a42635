import type { Problem } from '#domain/run/problems.ts';
import {
  DELETIONS_ALLOWED,
  FAILURES_ALLOWED,
  INTERRUPTIONS_ALLOWED,
  WAIT_AFTER_FAILURE,
  WAIT_WHILE_DELETED,
} from './limits.ts';

const LONGEST_WAIT = 60;

/** Whether a step that has failed this often may be tried again. */
export function mayTryAgain({ code }: Problem, failures: number): boolean {
  if (code === 'interrupted') return failures <= INTERRUPTIONS_ALLOWED;
  return failures <= (code === 'container-being-deleted' ? DELETIONS_ALLOWED : FAILURES_ALLOWED);
}

/**
 * Seconds until a step is tried again. The end of a process interrupts the steps of many containers at the same moment.
 * If they all began again together, one that ends the process each time would cost all of them each try.
 */
export function waitAfter({ code }: Problem, failures: number, container: string): number {
  if (code === 'container-being-deleted') return WAIT_WHILE_DELETED;
  if (code !== 'interrupted') return WAIT_AFTER_FAILURE;
  const wait = Math.min(WAIT_AFTER_FAILURE * 2 ** (failures - 1), LONGEST_WAIT);
  return wait + (hashOf(container) % wait);
}

/**
 * Whether a step has been interrupted so often that it may be what ends the process. It is tried again without the
 * other steps of its container.
 */
export function isSuspect({ code }: Problem, failures: number): boolean {
  return code === 'interrupted' && failures >= 2;
}

function hashOf(text: string): number {
  let hash = 0;
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)!) % 1_000_003;
  return hash;
}
