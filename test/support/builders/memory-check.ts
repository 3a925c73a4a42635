import { createHash } from 'node:crypto';
import type { BlobPage, ListBlobsOptions } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { MemoryAccount } from '../../../prove/memory/memory-account.ts';
import { type Checked, checkVault, type Link, type Listed } from '../../../tools/check-vault/check-vault.mjs';

/** Checks a vault on memory as the program does it with one on Azure. */
export function checkMemory(
  account: MemoryAccount,
  options: { job: string; head?: Link; content?: boolean },
): Promise<Checked> {
  const vault = {
    async *list(container: string, { prefix, all = false }: { prefix: string; all?: boolean }): AsyncIterable<Listed> {
      let marker: string | undefined;
      do {
        const asked = { prefix, metadata: true, snapshotsAndVersions: all, ...(marker !== undefined && { marker }) };
        // A proof may have replaced the method, to mislead the app.
        const page = pageOf(account, container, asked);
        yield* page.blobs;
        marker = page.next;
      } while (marker !== undefined);
    },
    read: async (container: string, name: string) => account.blob(container, name)?.body,
    sha256: async (container: string, { name, etag }: Listed) => {
      const blob = account.all(container, name).find((each) => each.etag === etag);
      return createHash('sha256').update(blob!.body).digest('hex');
    },
  };
  return checkVault(vault, options);
}

/** A container that does not exist lists nothing, as with the program's own access to Azure. */
function pageOf(account: MemoryAccount, container: string, options: ListBlobsOptions): BlobPage {
  try {
    return MemoryAccount.prototype.listBlobs.call(account, container, options);
  } catch (error) {
    if (isStorageError(error, 'container-not-found')) return { blobs: [], prefixes: [] };
    throw error;
  }
}
