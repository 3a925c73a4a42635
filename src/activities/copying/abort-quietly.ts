import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** Aborts a pending copy. A copy that has ended in the meantime is fine as well. */
export async function abortQuietly(
  account: BlobAccount,
  container: string,
  name: string,
  copyId: string,
): Promise<void> {
  try {
    await account.abortCopy(container, name, copyId);
  } catch (error) {
    if (!isStorageError(error, 'no-pending-copy', 'not-found', 'container-not-found')) throw error;
  }
}
