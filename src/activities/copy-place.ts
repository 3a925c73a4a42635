import { archivePrefix, type Folders } from '../domain/archive-name.ts';
import { expand } from '../domain/container-template.ts';
import { copyDeadline } from '../domain/copy-method.ts';
import type { CopyMethod, PlannedCopy } from '../domain/outcome.ts';
import type { RunRef } from '../domain/run.ts';
import type { BlobAccount, ReadAccess } from '../storage/blob-account.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';

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

/** A route with the access that copying along it takes. */
export interface CopyPlace extends Route {
  access: ReadAccess;
  /** How long an asynchronous copy may be pending, beside the time for its size. */
  copyDeadlineMs: number;
  now(): Date;
  /** Ends long copies early; short ones are let finish, so that what they did is known. */
  signal?: AbortSignal;
}

/** Names a container's share of a run: for a restore, the container that was backed up and the one to write to. */
export interface Share {
  run: RunRef;
  container: string;
  destination: string;
  /** In a restore: the mirror in the vault. */
  mirror?: Mirror;
}

/** Where in the vault a container's blobs lie. */
export interface Mirror {
  container: string;
  prefix: string;
}

/** Throws when the configuration no longer has the job or the account. */
export function routeOf(deps: Dependencies, { run, container, destination, mirror }: Share): Route {
  const { job, source, vault, rule } = workplaceOf(deps, run.job);
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
  { source, entry }: Pick<PlannedCopy, 'source' | 'entry'>,
): string {
  const prefix = archive ? archivePrefix(archive, container, source) : targetPrefix;
  return prefix + (entry?.name ?? source.name);
}

/** A margin beyond the deadline of the longest copy: a signature must outlive the last block it is used for. */
const ACCESS_MARGIN_MS = 3_600_000;

/** Mints the access to the source; `largest` is the size in bytes of the largest blob that will be copied with it. */
export async function copyPlace(
  deps: Dependencies,
  share: Share,
  largest: number,
  signal: AbortSignal,
): Promise<CopyPlace> {
  const route = routeOf(deps, share);
  const lifetime = copyDeadline(largest, deps.limits.copyDeadlineMs) + ACCESS_MARGIN_MS;
  const until = new Date(deps.now().getTime() + lifetime);
  const access = await route.source.readAccess(route.container, until);
  return { ...route, access, copyDeadlineMs: deps.limits.copyDeadlineMs, now: deps.now, signal };
}
