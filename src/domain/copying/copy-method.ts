import type { BlobState } from '../blobs/blob.ts';
import type { CopyMethod } from '../run/outcome.ts';

/** The service refuses Copy Blob From URL for larger blobs. */
export const SYNC_LIMIT = 256 * 1024 * 1024;

/**
 * The methods to try, best first. `sync` is atomic and done when it answers, so it comes first if the size allows.
 * `async` does not keep the app waiting. `blocks` is atomic for any size, and the fallback if an asynchronous copy gets
 * stuck. Page and append blobs keep their type only with `async`.
 */
export function methodsFor(source: BlobState, wanted: CopyMethod | 'auto'): CopyMethod[] {
  if (source.type !== 'block') return ['async'];
  if (wanted === 'async') return ['async'];
  if (wanted === 'blocks') return ['blocks'];
  if (source.size > SYNC_LIMIT) return wanted === 'sync' ? ['blocks'] : ['async', 'blocks'];
  return ['sync', 'async', 'blocks'];
}

/** Whether this method always leaves either the old or the new content. */
export function isAtomic(method: CopyMethod): boolean {
  return method !== 'async';
}

/** Milliseconds. A synchronous copy takes seconds; with every attempt that the adapter makes, some minutes. */
const SYNC_ACCESS = 15 * 60_000;

/** How long the service reads the source of a copy by this method, in milliseconds; `baseMs` as for `copyDeadline`. */
export function readingTime(method: CopyMethod, size: number, baseMs: number): number {
  return method === 'sync' ? SYNC_ACCESS : copyDeadline(size, baseMs);
}

/**
 * How long an asynchronous copy may be pending, in milliseconds: an hour, plus the time at 4 MB/s, at most six days.
 */
export function copyDeadline(size: number, baseMs: number): number {
  return Math.min(baseMs + (size / 4_000_000) * 1000, 6 * 24 * 3600_000);
}
