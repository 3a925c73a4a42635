import type { BlobState } from '../blobs/blob.ts';
import type { CopyMethod } from '../run/outcome.ts';

/** The service refuses Copy Blob From URL above this. */
export const SYNC_LIMIT = 256 * 1024 * 1024;

/**
 * The methods to try, best first. `sync` answers when it is done and is atomic, so it comes first where it fits;
 * `async` needs no waiting app; `blocks` is atomic at any size and the way out when an asynchronous copy gets stuck.
 * Page and append blobs keep their type only by `async`.
 */
export function methodsFor(source: BlobState, wanted: CopyMethod | 'auto'): CopyMethod[] {
  if (source.type !== 'block') return ['async'];
  if (wanted === 'async') return ['async'];
  if (wanted === 'blocks') return ['blocks'];
  if (source.size > SYNC_LIMIT) return wanted === 'sync' ? ['blocks'] : ['async', 'blocks'];
  return ['sync', 'async', 'blocks'];
}

/** Whether a copy by this method leaves either the old content or the new, whatever happens. */
export function isAtomic(method: CopyMethod): boolean {
  return method !== 'async';
}

/** How long an asynchronous copy may stay pending, in milliseconds: an hour, plus 4 MB/s, at most six days. */
export function copyDeadline(size: number, baseMs: number): number {
  return Math.min(baseMs + (size / 4_000_000) * 1000, 6 * 24 * 3600_000);
}
