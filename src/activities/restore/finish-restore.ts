import { restoreProblemCode } from '#app/restore-problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { methodsFor } from '#domain/copying/copy-method.ts';
import { isArchived } from '#domain/restore/locate.ts';
import { hasRecord, lacksOf, restoredMetadata } from '#domain/restore/restored-metadata.ts';
import { failedEntry } from '#domain/run/failed-entry.ts';
import { asBackedUp, type BlobEntry, type Outcome } from '#domain/run/outcome.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import type { RestoreContext } from './restore-route.ts';

/**
 * Whether a blob is archived only after our record is removed from it: nothing can be removed from an archived blob.
 */
export function isArchivedLast(entry: BlobEntry, holder: BlobState): boolean {
  return entry.tier === 'Archive' && holder.type === 'block' && restoredMetadata(entry, holder).how === 'cleared';
}

/** Until this is done, the blob is not as it was, and so not restored. */
export async function removeRecord(context: RestoreContext, name: string, ifMatch: string): Promise<void> {
  try {
    await context.target.setMetadata(context.destination, name, {}, ifMatch);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const message = `The blob was copied, but Strongroom could not remove its own metadata from it: ${error.message}`;
    throw new StorageError(error.kind, message, error.status, error.code);
  }
}

/** Finishes a copy that is there: removes our record, where the service copied it along, and archives it if need be. */
export async function finishRestore(
  context: RestoreContext,
  entry: Outcome,
  holder: BlobState,
  target: BlobState,
  about: Pick<Outcome, 'code'>,
): Promise<Outcome> {
  try {
    if (restoredMetadata(entry, holder).how === 'cleared' && hasRecord(target))
      await removeRecord(context, target.name, target.etag);
    if (isArchivedLast(entry, holder) && !isArchived(target)) {
      await context.target.setTier(context.destination, target.name, 'Archive');
    }
  } catch (error) {
    // Waiting would not help.
    if (isStorageError(error, 'access-denied', 'immutable'))
      return failedEntry(entry, restoreProblemCode(error), error.message);
    throw error;
  }
  const method = methodsFor(holder, context.method)[0]!;
  const lacks = about.code ?? entry.code;
  return {
    ...asBackedUp(entry),
    status: 'copied',
    method,
    ...lacksOf(restoredMetadata(entry, holder), lacks),
  };
}
