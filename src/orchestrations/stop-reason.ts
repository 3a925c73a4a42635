import type { StopReason } from '#activities/run/run-guard.ts';

/** Why a run stops, by the answers of its activities. If it is superseded, nothing more may be written. */
export function stopReasonOf(answers: readonly { stopped?: StopReason | undefined }[]): StopReason | undefined {
  const reasons = new Set(answers.map(({ stopped }) => stopped));
  return (['superseded', 'cancelled', 'changed'] as const).find((reason) => reasons.has(reason));
}
