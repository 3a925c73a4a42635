import type { ProblemCode } from '#domain/run/problems.ts';

/**
 * How often an activity may fail before its problem counts, and how many seconds to wait before the next try. If it
 * could not read its plan or write its outcomes, giving up would cost the container its place in the restore point.
 */
export const FAILURES_ALLOWED = 2;
export const WAIT_AFTER_FAILURE = 20;
/** The service deletes a container in minutes, and answers each try at once: ten minutes in all. */
export const DELETIONS_ALLOWED = 120;
export const WAIT_WHILE_DELETED = 5;

/**
 * How often the platform may end an activity. More often than an activity may fail: a deployment or a process that dies
 * of memory ends all activities in progress, whichever of them is the cause.
 */
export const INTERRUPTIONS_ALLOWED = 4;

/** Problems that may pass while waiting. All others stay until an operator solves them. */
export const PASSING = new Set<ProblemCode>([
  'throttled',
  'unreachable',
  'server-error',
  'interrupted',
  'container-being-deleted',
]);

/**
 * No wait between two activities of a run is longer, in seconds. Only activities give signs of life, and a run of
 * another host that is silent for twice as long is lost.
 */
export const LONGEST_SILENCE = 300;

/** Every step replays the history. A new generation begins before the history gets long. */
export const ACTIVITIES_PER_GENERATION = 100;
