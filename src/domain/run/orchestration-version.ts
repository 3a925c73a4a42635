import type { RunRef } from './run.ts';

/**
 * The version of the orchestrations. Raise it with every change of what an orchestration schedules, or of what an
 * orchestration or activity of a run is given or answers: Durable Functions replays the code of today over what the
 * code of yesterday did. A run that another version began is published as failed with what it did.
 */
export const ORCHESTRATION_VERSION = 3;

/** Whether this build can continue a run. Runs of the first version do not name it. */
export function isOfThisVersion({ orchestrations = 1 }: Pick<RunRef, 'orchestrations'>): boolean {
  return orchestrations === ORCHESTRATION_VERSION;
}
