import type { BlobState } from '#domain/blobs/blob.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** Everything in a container under one name: the blob, its snapshots and its versions. Mostly one request. */
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
      // Some orders list longer names after this one, others before it: the end is a page that ends with another name,
      // once this one was found.
      marker = page.blobs.length > 0 && found.length > 0 && page.blobs.at(-1)!.name !== name ? undefined : page.next;
    } while (marker !== undefined);
    return found;
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return [];
    throw error;
  }
}
