import type { Dependencies } from '#app/dependencies.ts';
import { copyDeadline } from '#domain/copying/copy-method.ts';
import type { ReadAccess } from '#storage/blob-account.ts';
import type { BackupRoute, Route } from './route.ts';

/** What copies along a route need besides it. */
export interface CopyAccess {
  access: ReadAccess;
  /** How long an asynchronous copy may be pending, without the time for its size. */
  copyDeadlineMs: number;
  now(): Date;
  /** Ends long copies early. Short copies end on their own, so that their result is known. */
  signal?: AbortSignal;
}

export type CopyContext = Route & CopyAccess;
export type BackupContext = BackupRoute & CopyAccess;

/** A margin beyond the deadline of the longest copy: the signature must be valid for its last block. */
const ACCESS_MARGIN_MS = 3_600_000;

/** Gets read access to the source of a route, for as long as copies of blobs of at most `largest` bytes may take. */
export async function withAccess<Own extends Route>(
  deps: Dependencies,
  route: Own,
  largest: number,
  signal: AbortSignal,
): Promise<Own & CopyAccess> {
  const { copyDeadlineMs } = deps.limits;
  const until = new Date(deps.now().getTime() + copyDeadline(largest, copyDeadlineMs) + ACCESS_MARGIN_MS);
  const access = await route.source.readAccess(route.container, until);
  return { ...route, access, copyDeadlineMs, now: deps.now, signal };
}
