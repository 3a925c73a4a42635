import type { Dependencies } from '#app/dependencies.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { copyDeadline, readingTime } from '#domain/copying/copy-method.ts';
import type { CopyMethod } from '#domain/run/outcome.ts';
import type { ReadAccess } from '#storage/blob-account.ts';
import type { BackupRoute, Route } from './route.ts';

/** What a copy needs in addition to its route. */
export interface CopyAccess {
  access: ReadAccess;
  /** How long an asynchronous copy may be pending, without the time for its size. */
  copyDeadlineMs: number;
  now(): Date;
  /** Ends long copies early. Short copies end on their own, so that their result is known. */
  signal?: AbortSignal;
}

export type CopyContext = Route & CopyAccess;
export type BackupContext = BackupRoute &
  CopyAccess & {
    /** Whether an earlier run may have kept the present backup blobs and not overwritten them. Absent: none has. */
    mayBeKept?(): Promise<boolean>;
  };

/** By how much the clocks of app and account may differ, in milliseconds. Signed requests fail beyond that. */
const CLOCK_MARGIN_MS = 15 * 60_000;
/** How long after an activity got access it may still begin a copy, and the margin for clocks. */
const LATEST_BEGIN_MS = 3_600_000;

/** Gets read access to the source of a route, for as long as copies of blobs of at most `largest` bytes may take. */
export async function withAccess<Own extends Route>(
  deps: Dependencies,
  route: Own,
  largest: number,
  signal: AbortSignal,
): Promise<Own & CopyAccess> {
  const access = await accessFor(deps, route, largest);
  return { ...route, access, copyDeadlineMs: deps.limits.copyDeadlineMs, now: deps.now, signal };
}

/** Read access to a container, for as long as the copies that an activity begins may take. */
export function accessFor(
  { limits, now }: Dependencies,
  { source, container }: Pick<Route, 'source' | 'container'>,
  largest: number,
): Promise<ReadAccess> {
  const until = now().getTime() + copyDeadline(largest, limits.copyDeadlineMs) + LATEST_BEGIN_MS;
  return source.readAccess(container, new Date(until));
}

/** The URL of a source for one copy by this method, with a signature that lasts no longer than the copy needs. */
export function sourceUrl(
  { access, copyDeadlineMs, now }: CopyAccess,
  { name, snapshotOrVersion, size }: Pick<BlobState, 'name' | 'snapshotOrVersion' | 'size'>,
  method: CopyMethod,
): string {
  const lasts = readingTime(method, size, copyDeadlineMs) + CLOCK_MARGIN_MS;
  return access.urlOf(name, snapshotOrVersion, new Date(now().getTime() + lasts));
}
