import { type Notes, type Proof, withProof } from '#domain/run/restore-point.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { Dependencies } from './dependencies.ts';

const NOT_TO_NOTE = new Error('A later verification is on record, or the restore point is gone');

/**
 * Notes the result of a verification that is on record in its restore point. Verifications end beside one another, and
 * an activity may run late: of each kind, the restore point has the result of the last one on record, in whatever order
 * they are noted. Safe to run twice.
 */
export async function noteProof(
  deps: Dependencies,
  vault: BlobAccount,
  point: { job: string; id: string },
  proof: Proof,
): Promise<void> {
  const control = new ControlStore(vault);
  const ifLast = async (notes: Notes) => {
    const records = await new ChainStore(vault).listRecords(point.job);
    const last = records.findLast((record) => record.point === point.id && record.verify === proof.kind);
    if (last !== undefined && last.run !== proof.run) throw NOT_TO_NOTE;
    // A prune deletes notes last: they must not come back.
    if (Object.keys(notes).length === 0 && !(await control.readSummary(point))) throw NOT_TO_NOTE;
    return withProof(notes, proof);
  };
  try {
    await control.changeNotes(point, ifLast);
  } catch (error) {
    if (error === NOT_TO_NOTE) return;
    // The report has the result. Trying again for hours would only delay the runs after this one.
    if (!isStorageError(error, 'damaged')) throw error;
    deps.telemetry.warn('proof-not-noted', { job: point.job, run: proof.run, message: error.message });
  }
}
