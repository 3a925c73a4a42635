import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, receiptsOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { afterPermanentFailure, type Poison } from '#domain/archive/poison.ts';
import type { Receipt } from '#domain/archive/receipt.ts';
import { poisonId } from '#domain/archive/receipt-path.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { redact } from '#domain/redact.ts';
import type { TracePlace } from '#domain/run/trace.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import type { ReceiptStore } from '#storage/control/receipt-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { findSourceVersion } from '../copying/source-version.ts';
import type { Upload } from './archive-upload.ts';

export interface KeepPoisonInput extends Pick<Upload, 'rule' | 'name' | 'etag'> {
  /** Why the last attempt failed; without it, `keepPoison` finds out. */
  problem?: Poison['problem'];
  /** Where in a trace its events belong. */
  trace?: TracePlace;
}

/** Stores an upload after its last attempt, with the reason. Throws `StorageError`; the caller then calls it again. */
export async function keepPoison(deps: Dependencies, input: KeepPoisonInput): Promise<void> {
  const { rule, name, etag } = input;
  const { control, source, job } = jobContextOf(deps, rule);
  const container = job.source.containers[0]!;
  const last = await lastFailure(receiptsOf(deps, rule), source, container, input);
  if (last === 'settled') return;
  const problem = input.problem ?? last ?? UNKNOWN;
  const id = poisonId(container, name, etag);
  const upload = { id, rule, container, name, ...(etag !== undefined && { etag }), problem };
  await new PoisonStore(control, rule).change(id, (before) => afterPermanentFailure(before, upload, deps.now()));
  deps.telemetry.uploadFailedPermanently(rule, problem.code);
}

const UNKNOWN: Poison['problem'] = {
  code: 'internal',
  message: 'Every attempt ended without writing why it failed',
};

/** Why the present version is not archived, by its receipt or its source; `settled` if nothing is left to archive. */
async function lastFailure(
  receipts: ReceiptStore,
  source: BlobAccount,
  container: string,
  { name, etag }: KeepPoisonInput,
): Promise<Poison['problem'] | 'settled' | undefined> {
  if (!source.canAddress(container, name)) return 'settled';
  let present: BlobState | undefined;
  try {
    present = await findSourceVersion(source, container, { name, etag: '', lastModified: '', size: 0, type: 'block' });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const announced = etag === undefined ? undefined : (await receipts.read(name, etag))?.value;
    if (isOver(announced)) return 'settled';
    // Without a receipt, every attempt failed for the same reason.
    return announced?.problem ?? { code: problemCodeOf(error, 'source'), message: redact(error.message) };
  }
  if (present === undefined) return 'settled';
  const receipt = (await receipts.read(name, present.etag))?.value;
  return isOver(receipt) ? 'settled' : receipt?.problem;
}

function isOver(receipt: Receipt | undefined): boolean {
  return receipt?.state === 'done' || receipt?.state === 'settled';
}
