import pLimit from 'p-limit';
import { CONTROL_CONTAINER, runPrefix, summaryPath } from '#domain/run/control-paths.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';

const DELETES_AT_ONCE = 16;

/**
 * Deletes everything of an ended run but its summary, in one walk: what is written or locked meanwhile stays, and must
 * not be waited for.
 */
export async function clearRun(account: BlobAccount, run: { job: string; id: string }): Promise<void> {
  const summary = summaryPath(run);
  const atOnce = pLimit(DELETES_AT_ONCE);
  let marker: string | undefined;
  do {
    const page = await account.listBlobs(CONTROL_CONTAINER, {
      prefix: runPrefix(run),
      ...(marker !== undefined && { marker }),
    });
    const others = page.blobs.filter(({ name }) => name !== summary);
    await Promise.all(others.map(({ name, etag }) => atOnce(() => remove(account, name, etag))));
    marker = page.next;
  } while (marker !== undefined);
}

async function remove(account: BlobAccount, name: string, ifMatch: string): Promise<void> {
  try {
    await account.deleteBlob(CONTROL_CONTAINER, name, { ifMatch });
  } catch (error) {
    if (!isStorageError(error, 'not-found', 'precondition', 'snapshots-present')) throw error;
  }
}
