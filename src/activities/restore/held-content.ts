import type { BlobState } from '#domain/blobs/blob.ts';
import { readRecord } from '#domain/copying/record.ts';
import type { BlobEntry } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';

/**
 * The code for content that was not found: nothing is there, or something else, written by another than Strongroom. A
 * later copy of ours does not hide that this content is gone.
 */
export function missingOrOther(entry: BlobEntry, found: readonly BlobState[]): ProblemCode {
  const base = found.find(({ snapshotOrVersion }) => snapshotOrVersion === undefined);
  if (base === undefined) return 'content-missing';
  const record = readRecord(base.metadata);
  const isLater = base.etag !== entry.vaultEtag && record !== undefined && record.etag !== entry.etag;
  return isLater ? 'content-missing' : 'content-mismatch';
}

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
