import type { Dependencies } from '#app/dependencies.ts';
import type { JobContext } from '#app/job-context.ts';
import { expand } from '#domain/blobs/container-template.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import type { CopyAccess } from '../copying/copy-context.ts';
import type { Route } from '../copying/route.ts';
import type { ContainerTask } from '../run/container-task.ts';

/** A route from a backup container to a target, and what a restore does with the blobs that are there. */
export interface RestoreRoute extends Route {
  /** When the restore began, and which one it tries again: this shows which blobs in the target it copied itself. */
  run: Pick<RestoreRef, 'startedAt' | 'retryOf'>;
  policy: Pick<RestoreTask, 'existing' | 'original' | 'rehydrate'>;
}

export type RestoreContext = RestoreRoute & CopyAccess;

/** Throws if the configuration no longer has the account to restore to. */
export function restoreRoute(
  deps: Dependencies,
  { job, vault }: JobContext,
  { run, container, destination, vaultLocation }: ContainerTask<RestoreRef>,
): RestoreRoute {
  if (!vaultLocation) throw new Error(`The restore of ${container} does not say where its backup blobs are`);
  return {
    run,
    policy: run.restore,
    method: job.method,
    source: vault,
    container: vaultLocation.container,
    sourcePrefix: vaultLocation.prefix,
    target: deps.blobs(run.restore.account),
    destination,
    targetPrefix: expand(run.restore.prefix, container),
  };
}
