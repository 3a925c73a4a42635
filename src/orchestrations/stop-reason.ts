import type { StopReason } from '#activities/run/run-guard.ts';

/** Why a run stops, by the answers of its activities. If it is superseded, nothing more may be written. */
export function stopReasonOf(answers: readonly { stopped?: StopReason | undefined }[]): StopReason | undefined {
  const reasons = new Set(answers.map(({ stopped }) => stopped));
  return reasons.has('superseded') ? 'superseded' : reasons.has('cancelled') ? 'cancelled' : undefined;
}
