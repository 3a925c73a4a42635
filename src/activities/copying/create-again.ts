import { isStorageError, type StorageError } from '#storage/storage-error.ts';

/**
 * Creates the container that a copy found missing, or returns why the account refuses. If the service is still deleting
 * it, throws `being-deleted`, which ends the activity: its orchestration waits, and not each blob.
 */
export async function createAgain(
  create: () => Promise<'created' | 'exists'>,
): Promise<'created' | 'exists' | { refused: StorageError }> {
  try {
    return await create();
  } catch (error) {
    if (!isStorageError(error) || isStorageError(error, 'being-deleted', 'aborted')) throw error;
    return { refused: error };
  }
}
