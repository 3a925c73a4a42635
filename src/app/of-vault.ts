import { isStorageError, StorageError } from '#storage/storage-error.ts';

/** Distinguishes what the vault denies from what the target denies. */
export function ofVault<Asked extends unknown[], Answer>(
  ask: (...asked: Asked) => Promise<Answer>,
): (...asked: Asked) => Promise<Answer> {
  return async (...asked) => {
    try {
      return await ask(...asked);
    } catch (error) {
      if (!isStorageError(error, 'access-denied')) throw error;
      throw new StorageError('source-access-denied', error.message, error.status, error.code);
    }
  };
}
