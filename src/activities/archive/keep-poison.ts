import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, receiptsOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { givenUp, type Poison } from '#domain/archive/poison.ts';
import { poisonId } from '#domain/archive/receipt-path.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { redact } from '#domain/redact.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import type { ReceiptStore } from '#storage/control/receipt-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { lookAtSource } from '../copying/source-version.ts';
import type { Upload } from './archive-upload.ts';

export interface KeepPoisonInput extends Pick<Upload, 'rule' | 'name' | 'etag'> {
  /** Why the last try failed; found out where it is not said. */
  problem?: Poison['problem'];
}

/** Keeps an upload that was tried for the last time, with the reason. Throws `StorageError`: then it must be called again. */
export async function keepPoison(deps: Dependencies, input: KeepPoisonInput): Promise<void> {
  const { rule, name, etag } = input;
  const { control, source, job } = jobContextOf(deps, rule);
  const container = job.source.containers[0]!;
  const last = await lastTry(receiptsOf(deps, rule), source, container, input);
  if (last === 'over') return;
  const problem = input.problem ?? last ?? UNKNOWN;
  const id = poisonId(container, name, etag);
  const upload = { id, rule, container, name, ...(etag !== undefined && { etag }), problem };
  await new PoisonStore(control, rule).change(id, (before) => givenUp(before, upload, deps.now()));
  deps.telemetry.uploadFailedPermanently(rule, problem.code);
}

const UNKNOWN: Poison['problem'] = { code: 'internal', message: 'No try lived, or could write, to tell why it failed' };

/** Why the version that is there now is not archived, as its receipt or a look at it tells; `over` where there is nothing left to archive. */
async function lastTry(
  receipts: ReceiptStore,
  source: BlobAccount,
  container: string,
  { name, etag }: KeepPoisonInput,
): Promise<Poison['problem'] | 'over' | undefined> {
  if (!source.canAddress(container, name)) return 'over';
  let present: BlobState | undefined;
  try {
    present = await lookAtSource(source, container, { name, etag: '', lastModified: '', size: 0, type: 'block' });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const told = etag === undefined ? undefined : (await receipts.read(name, etag))?.value;
    if (told?.state === 'done') return 'over';
    // No try got as far as a receipt, for the same reason.
    return told?.problem ?? { code: problemCodeOf(error, 'source'), message: redact(error.message) };
  }
  if (present === undefined) return 'over';
  const receipt = (await receipts.read(name, present.etag))?.value;
  return receipt?.state === 'done' ? 'over' : receipt?.problem;
}
