import type { Dependencies } from '#app/dependencies.ts';
import type { JobContext } from '#app/job-context.ts';
import { expand } from '#domain/blobs/container-template.ts';
import { canBeSent } from '#domain/copying/record.ts';
import type { RestoreChoice } from '#domain/restore/decide-entry.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import type { CopyAccess } from '../copying/copy-context.ts';
import type { Route } from '../copying/route.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { propertiesOf } from '../run/record-properties.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import { isDamaged } from './damaged-properties.ts';

/** A route from a backup container to a target, and what a restore does with the blobs that are there. */
export interface RestoreRoute extends Route, Pick<RestoreChoice, 'run' | 'policy'> {
  /** Makes the target container with the metadata of the one that was backed up. */
  makeTarget(): Promise<'created' | 'exists'>;
}

export type RestoreContext = RestoreRoute & CopyAccess;

/** Throws if the configuration no longer has the account to restore to. */
export function restoreRoute(
  deps: Dependencies,
  { job, vault, control }: JobContext,
  { run, container, destination, vaultLocation }: ContainerTask<RestoreRef>,
): RestoreRoute {
  if (!vaultLocation) throw new Error(`The restore of ${container} does not say where its backup blobs are`);
  const target = deps.blobs(run.restore.account);
  return {
    run,
    policy: run.restore,
    method: job.method,
    source: vault,
    container: vaultLocation.container,
    sourcePrefix: vaultLocation.prefix,
    target,
    destination,
    targetPrefix: expand(run.restore.prefix, container),
    async makeTarget() {
      const point = await restorePointSummary(control, run.job, run.restore.point);
      return target.createContainer(destination, metadataOf(await propertiesOf(control, point, container)));
    },
  };
}

/** Undefined if there is none, or none that a header can carry. */
function metadataOf(recorded: Awaited<ReturnType<typeof propertiesOf>>): Record<string, string> | undefined {
  if (!recorded || isDamaged(recorded) || !recorded.metadata) return undefined;
  const sendable = Object.entries(recorded.metadata).filter(([key, value]) => canBeSent({ [key]: value }));
  return sendable.length > 0 ? Object.fromEntries(sendable) : undefined;
}
