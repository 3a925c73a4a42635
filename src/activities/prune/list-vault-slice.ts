import type { BlobState } from '#domain/blobs/blob.ts';
import type { BlobAccount, BlobPage } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { SliceInput } from '../run/slice.ts';

/** By name, everything that a backup container has under the name: the blob, its snapshots and versions. */
export type BlobsByName = Map<string, BlobState[]>;

interface VaultSlice {
  blobs: BlobsByName;
  next: SliceInput['from'];
}

/** Lists a backup container from a position on, whole names only: the last name of a page may continue in the next. */
export async function listVaultSlice(
  vault: BlobAccount,
  container: string,
  from: SliceInput['from'],
  enough: number,
): Promise<VaultSlice> {
  const blobs: BlobsByName = new Map();
  const fresh = new BlobsBehind(from?.source);
  let marker = from?.beside;
  let listed = 0;
  for (;;) {
    const page = await listPage(vault, container, marker);
    const own = fresh.of(page.blobs);
    for (const blob of own) addTo(blobs, blob);
    listed += own.length;
    if (page.next === undefined) return { blobs, next: undefined };
    const last = own.at(-1)?.name;
    const before = own.findLast(({ name }) => name !== last)?.name;
    if (listed >= enough && blobs.size > 1 && last !== undefined && before !== undefined) {
      blobs.delete(last);
      return { blobs, next: { source: before, beside: marker } };
    }
    marker = page.next;
  }
}

/**
 * Skips what the slice before has covered, which ended with a name. The service need not cut the pages where it cut
 * them then: the name may come in a later page.
 */
class BlobsBehind {
  #name: string | undefined;
  #isSeen = false;

  constructor(name: string | undefined) {
    this.#name = name;
  }

  of(blobs: BlobState[]): BlobState[] {
    if (this.#name === undefined) return blobs;
    const at = blobs.findLastIndex(({ name }) => name === this.#name);
    this.#isSeen ||= at >= 0;
    const fresh = this.#isSeen ? blobs.slice(at + 1) : [];
    if (fresh.length > 0) this.#name = undefined;
    return fresh;
  }
}

function addTo(blobs: BlobsByName, blob: BlobState): void {
  const same = blobs.get(blob.name);
  if (same) same.push(blob);
  else blobs.set(blob.name, [blob]);
}

async function listPage(vault: BlobAccount, container: string, marker: string | undefined): Promise<BlobPage> {
  try {
    return await vault.listBlobs(container, {
      metadata: true,
      copy: true,
      snapshotsAndVersions: true,
      ...(marker !== undefined && { marker }),
    });
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return { blobs: [], prefixes: [] };
    throw error;
  }
}
