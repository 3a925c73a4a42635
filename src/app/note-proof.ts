import { type Proof, withProof } from '#domain/run/restore-point.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { Dependencies } from './dependencies.ts';

/** Notes the result of a verification in its restore point, before the lock is free. Safe to run twice. */
export async function noteProof(
  deps: Dependencies,
  control: ControlStore,
  point: { job: string; id: string },
  proof: Proof,
): Promise<void> {
  try {
    await control.changeNotes(point, (notes) => withProof(notes, proof));
  } catch (error) {
    // The report has the result. Trying again for hours would only delay the runs after this one.
    if (!isStorageError(error, 'damaged')) throw error;
    deps.telemetry.warn('proof-not-noted', { job: point.job, run: proof.run, message: error.message });
  }
}
