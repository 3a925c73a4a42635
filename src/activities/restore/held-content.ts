import type { BlobState } from '#domain/blobs/blob.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';

/** Everything in a container under one name: the blob, its snapshots and versions. One listing, mostly one request. */
export async function listNamed(account: BlobAccount, container: string, name: string): Promise<BlobState[]> {
  const found: BlobState[] = [];
  let marker: string | undefined;
  try {
    do {
      const page = await account.listBlobs(container, {
        prefix: name,
        metadata: true,
        contentHeaders: true,
        copy: true,
        snapshotsAndVersions: true,
        ...(marker !== undefined && { marker }),
      });
      found.push(...page.blobs.filter((blob) => blob.name === name));
      // Longer names come after it in some orders and before it in others: only a page with none of its own and others is the end.
      marker = page.blobs.length > 0 && found.length > 0 && page.blobs.at(-1)!.name !== name ? undefined : page.next;
    } while (marker !== undefined);
    return found;
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return [];
    throw error;
  }
}

/** What to say of content that is not found: nothing is there, or something else. */
export function missingOrOther(entry: Outcome, found: readonly BlobState[]): ProblemCode {
  const base = found.find(({ snapshotOrVersion: kept }) => kept === undefined);
  return base !== undefined && base.etag === entry.vaultEtag ? 'content-mismatch' : 'content-missing';
}

/** That the vault denies is told apart from the target's denying. */
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
