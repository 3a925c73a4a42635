import { expand } from '../domain/container-template.ts';
import { copyDeadline } from '../domain/copy-method.ts';
import type { CopyMethod } from '../domain/outcome.ts';
import type { RunRef } from '../domain/run.ts';
import type { BlobAccount, ReadAccess } from '../storage/blob-account.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';

/** Where the blobs of one container are copied from and to. */
export interface CopyPlace {
  run: RunRef;
  method: CopyMethod | 'auto';
  source: BlobAccount;
  container: string;
  access: ReadAccess;
  vault: BlobAccount;
  destination: string;
  mirrorPrefix: string;
  now(): Date;
  /** Ends long copies early; short ones are let finish, so that what they did is known. */
  signal?: AbortSignal;
}

/** A margin beyond the deadline of the longest copy: a signature must outlive the last block it is used for. */
const ACCESS_MARGIN_MS = 3_600_000;

/** Mints the access to the source; `largest` is the size in bytes of the largest blob that will be copied with it. */
export async function copyPlace(
  deps: Dependencies,
  { run, container, destination }: { run: RunRef; container: string; destination: string },
  largest: number,
  signal: AbortSignal,
): Promise<CopyPlace> {
  const { job, source, vault } = workplaceOf(deps, run.job);
  const lifetime = copyDeadline(largest, deps.limits.copyDeadlineMs) + ACCESS_MARGIN_MS;
  return {
    run,
    method: job.method,
    source,
    container,
    access: await source.readAccess(container, new Date(deps.now().getTime() + lifetime)),
    vault,
    destination,
    mirrorPrefix: expand(job.destination.prefix, container),
    now: deps.now,
    signal,
  };
}
