import type { BlobState } from '#domain/blobs/blob.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';

export async function lookAtSource(
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
      if (found) return found;
      // A page may be empty and not be the last.
      marker = page.blobs.length === 0 ? page.next : undefined;
    } while (marker !== undefined);
    // In an order where longer names come first the page does not show it: then ask for the blob itself.
    return await account.getProperties(container, source.name);
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return undefined;
    if (isStorageError(error, 'access-denied')) {
      throw new StorageError('source-access-denied', error.message, error.status, error.code);
    }
    throw error;
  }
}
