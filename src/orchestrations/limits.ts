import type { ProblemCode } from '#domain/run/problems.ts';

/**
 * How often an activity may fail before its problem counts, and how many seconds to wait before the next try. If it
 * could not read its plan or write its outcomes, giving up would cost the container its place in the restore point.
 */
export const FAILURES_ALLOWED = 2;
export const WAIT_AFTER_FAILURE = 20;

/** Problems that may pass while waiting. All others stay until an operator solves them. */
export const PASSING = new Set<ProblemCode>(['throttled', 'unreachable', 'server-error']);

/** Every step replays the history. A new generation begins before the history gets long. */
export const ACTIVITIES_PER_GENERATION = 100;
