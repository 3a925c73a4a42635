import type { BlobState } from '#domain/blobs/blob.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';

/** The source blob as it is now, with its tags if they were listed before; undefined if it is not there. */
export async function findSourceVersion(
  account: BlobAccount,
  container: string,
  source: BlobState,
): Promise<BlobState | undefined> {
  try {
    let marker: string | undefined;
    do {
      const page = await account.listBlobs(container, {
        prefix: source.name,
        limit: 5,
        metadata: true,
        contentHeaders: true,
        ...(source.tags !== undefined && { tags: true }),
        ...(marker !== undefined && { marker }),
      });
      const found = page.blobs.find(({ name }) => name === source.name);
      if (found) return hasNewTags(source, found) ? await withTags(account, container, found) : found;
      // An empty page need not be the last.
      marker = page.blobs.length === 0 ? page.next : undefined;
    } while (marker !== undefined);
    // In an order where longer names come first, the page does not show the blob: then its properties do.
    return await account.getProperties(container, source.name);
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return undefined;
    if (isStorageError(error, 'access-denied')) {
      throw new StorageError('source-access-denied', error.message, error.status, error.code);
    }
    throw error;
  }
}

/** Whether it had no tags when it was listed, so that none were asked for, and has some now. */
function hasNewTags(listed: BlobState, { tags, tagCount = 0 }: BlobState): boolean {
  return tags === undefined && tagCount > 0 && (listed.tagCount ?? 0) === 0;
}

async function withTags(account: BlobAccount, container: string, found: BlobState): Promise<BlobState> {
  try {
    return (await findSourceVersion(account, container, { ...found, tags: {} })) ?? found;
  } catch (error) {
    // The app may not read tags, or the account has none.
    if (isStorageError(error, 'source-access-denied', 'access-denied', 'invalid', 'unsupported')) return found;
    throw error;
  }
}
