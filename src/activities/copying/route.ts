import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { archivePrefix, type Folders } from '#domain/archive/archive-name.ts';
import { expand } from '#domain/blobs/container-template.ts';
import type { CopyMethod, PlannedItem } from '#domain/run/outcome.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { ContainerTask } from '../run/container-task.ts';

/** Which container's blobs are copied where: in a backup into the vault, in a restore out of it. */
export interface Route {
  /** The owner of what is copied, by its id. */
  run: Pick<RunRef, 'id' | 'mode' | 'startedAt' | 'restore'>;
  method: CopyMethod | 'auto';
  source: BlobAccount;
  /** The container that is read: in a restore, the mirror. */
  container: string;
  /** Put before a blob's own name where it is read. */
  sourcePrefix: string;
  target: BlobAccount;
  destination: string;
  /** Put before a blob's own name where it is written. */
  targetPrefix: string;
  /** Present where versions are archived: only the version that is meant is copied, and none that came after it. */
  archive?: { prefix: string; folders: Folders; tier?: string };
}

/** Throws when the configuration no longer has the job or the account. */
export function routeOf(
  deps: Dependencies,
  { run, container, destination, vaultLocation: mirror }: ContainerTask,
): Route {
  const { job, source, vault, rule } = jobContextOf(deps, run.job);
  if (run.restore === undefined) {
    const targetPrefix = expand(job.destination.prefix, container);
    const between = { source, container, sourcePrefix: '', target: vault, destination, targetPrefix };
    return { run, method: job.method, ...between, ...(rule && { archive: rule.destination }) };
  }
  if (mirror === undefined) throw new Error(`A restore of ${container} was not told where its mirror lies`);
  return {
    run,
    method: job.method,
    source: vault,
    container: mirror.container,
    sourcePrefix: mirror.prefix,
    target: deps.blobs(run.restore.account),
    destination,
    targetPrefix: expand(run.restore.prefix, container),
  };
}

/** The name under which a planned copy is written. */
export function targetName(
  { container, targetPrefix, archive }: Route,
  { from: source, entry }: Pick<PlannedItem, 'from' | 'entry'>,
): string {
  const prefix = archive ? archivePrefix(archive, container, source) : targetPrefix;
  return prefix + (entry?.name ?? source.name);
}
