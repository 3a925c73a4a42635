import type { BlobState } from '../blobs/blob.ts';

const MINUTE_MS = 60_000;

/** A seal changes no ETag and has no event: it is only seen when the blob is looked at. */
const SEAL_CHECK_MS = 5 * MINUTE_MS;

/**
 * Milliseconds until a rule may archive this version, if it stays that long; 0 if it may now. A rule with
 * `quietMinutes` lets a blob grow: each state of it would be another version, archived as a whole. A sealed append blob
 * grows no more. Clocks may differ: a version from the future waits no longer than a new one.
 */
export function untilQuiet(
  { lastModified, sealed }: Pick<BlobState, 'lastModified' | 'sealed'>,
  quietMinutes: number | undefined,
  now: Date,
): number {
  if (quietMinutes === undefined || sealed) return 0;
  const quietMs = quietMinutes * MINUTE_MS;
  const left = Date.parse(lastModified) + quietMs - now.getTime();
  return Math.min(Math.max(left, 0), quietMs);
}

/** Seconds until a blob that may be archived in `forMs` is looked at again. */
export function untilNextLook({ type }: Pick<BlobState, 'type'>, forMs: number): number {
  const ms = type === 'append' ? Math.min(forMs, SEAL_CHECK_MS) : forMs;
  // The service's times are in whole seconds.
  return Math.ceil(ms / 1000) + 1;
}
