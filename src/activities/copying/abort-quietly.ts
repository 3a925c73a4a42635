import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** Aborts a pending copy; that it ended meanwhile is as good. */
export async function abortQuietly(vault: BlobAccount, container: string, name: string, copyId: string): Promise<void> {
  try {
    await vault.abortCopy(container, name, copyId);
  } catch (error) {
    if (!isStorageError(error, 'no-pending-copy', 'not-found', 'container-not-found')) throw error;
  }
}
