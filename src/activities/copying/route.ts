import type { JobContext } from '#app/job-context.ts';
import { archivePrefix, type Folders } from '#domain/archive/archive-name.ts';
import { expand } from '#domain/blobs/container-template.ts';
import type { CopyMethod, PlannedItem } from '#domain/run/outcome.ts';
import type { RunMode } from '#domain/run/run.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { ContainerTask } from '../run/container-task.ts';

/** Which blobs are copied where: a backup copies into the vault, a restore out of it. */
export interface Route {
  method: CopyMethod | 'auto';
  source: BlobAccount;
  /** The container to read: in a restore, the backup container. */
  container: string;
  /** The prefix of names in the container to read. */
  sourcePrefix: string;
  target: BlobAccount;
  destination: string;
  /** The prefix of names in the container to write. */
  targetPrefix: string;
  /** Present when versions are archived: only the planned version is copied, and none that came after it. */
  archive?: { prefix: string; folders: Folders; tier?: string };
}

export interface BackupRoute extends Route {
  /** The id that the records of the copies name: that of the run, or of the owner of a claim. */
  owner: string;
  mode: 'full' | 'incremental';
}

/** Who copies, and in which mode. */
export interface Copier {
  id: string;
  mode: RunMode;
}

export function backupRoute(
  { job, rule, source, vault }: JobContext,
  { container, destination }: Pick<ContainerTask, 'container' | 'destination'>,
  { id, mode }: Copier,
): BackupRoute {
  return {
    owner: id,
    mode: mode === 'full' ? 'full' : 'incremental',
    method: job.method,
    source,
    container,
    sourcePrefix: '',
    target: vault,
    destination,
    targetPrefix: expand(job.destination.prefix, container),
    ...(rule && { archive: rule.destination }),
  };
}

/** The name that a planned copy is written under. */
export function targetName(
  { container, targetPrefix, archive }: Pick<Route, 'container' | 'targetPrefix' | 'archive'>,
  { from: source, entry, vaultName }: Pick<PlannedItem, 'from' | 'entry' | 'vaultName'>,
): string {
  const prefix = archive ? archivePrefix(archive, container, source) : targetPrefix;
  return prefix + (entry?.name ?? vaultName ?? source.name);
}
