import type { ProblemCode } from '#domain/run/problems.ts';

/**
 * How often an activity may fail before its problem counts, and how many seconds to wait before the next try. If it
 * could not read its plan or write its outcomes, giving up would cost the container its place in the restore point.
 */
export const FAILURES_ALLOWED = 2;
export const WAIT_AFTER_FAILURE = 20;
/** The service deletes a container in minutes, and answers each try at once: ten minutes in all. */
const DELETIONS_ALLOWED = 120;
const WAIT_WHILE_DELETED = 5;

/** Problems that may pass while waiting. All others stay until an operator solves them. */
export const PASSING = new Set<ProblemCode>(['throttled', 'unreachable', 'server-error', 'container-being-deleted']);

/** Every step replays the history. A new generation begins before the history gets long. */
export const ACTIVITIES_PER_GENERATION = 100;

/** Whether an activity that failed this often, now with a problem of this code, is tried again. */
export function isAllowed(code: ProblemCode, failures: number): boolean {
  return failures <= (code === 'container-being-deleted' ? DELETIONS_ALLOWED : FAILURES_ALLOWED);
}

/** Seconds to wait after these problems, before the next try. */
export function waitAfter(codes: readonly (ProblemCode | undefined)[]): number {
  return codes.every((code) => code === undefined || code === 'container-being-deleted')
    ? WAIT_WHILE_DELETED
    : WAIT_AFTER_FAILURE;
}
