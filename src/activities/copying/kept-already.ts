import { listNamed } from '#app/list-named.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import type { BackupContext } from './copy-context.ts';

/**
 * Whether there is a snapshot of this very state already: an earlier run took it, and could not overwrite the blob.
 * Asks only if an earlier run had failures.
 */
export async function isKept(context: BackupContext, name: string, { etag }: BlobState): Promise<boolean> {
  if (!(await context.mayBeKept?.())) return false;
  const found = await listNamed(context.target, context.destination, name);
  return found.some((blob) => blob.etag === etag && blob.snapshotOrVersion && 'snapshot' in blob.snapshotOrVersion);
}
