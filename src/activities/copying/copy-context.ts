import type { Dependencies } from '#app/dependencies.ts';
import { copyDeadline } from '#domain/copying/copy-method.ts';
import type { ReadAccess } from '#storage/blob-account.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { type Route, routeOf } from './route.ts';

/** A route with the access that copying along it takes. */
export interface CopyContext extends Route {
  access: ReadAccess;
  /** How long an asynchronous copy may be pending, beside the time for its size. */
  copyDeadlineMs: number;
  now(): Date;
  /** Ends long copies early; short ones are let finish, so that what they did is known. */
  signal?: AbortSignal;
}

/** A margin beyond the deadline of the longest copy: a signature must outlive the last block it is used for. */
const ACCESS_MARGIN_MS = 3_600_000;

/** Mints the access to the source; `largest` is the size in bytes of the largest blob that will be copied with it. */
export async function copyContextOf(
  deps: Dependencies,
  share: ContainerTask,
  largest: number,
  signal: AbortSignal,
): Promise<CopyContext> {
  const route = routeOf(deps, share);
  const lifetime = copyDeadline(largest, deps.limits.copyDeadlineMs) + ACCESS_MARGIN_MS;
  const until = new Date(deps.now().getTime() + lifetime);
  const access = await route.source.readAccess(route.container, until);
  return { ...route, access, copyDeadlineMs: deps.limits.copyDeadlineMs, now: deps.now, signal };
}
