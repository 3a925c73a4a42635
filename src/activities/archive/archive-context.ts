import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, receiptsOf } from '#app/job-context.ts';
import { expand } from '#domain/blobs/container-template.ts';
import type { ReceiptStore } from '#storage/control/receipt-store.ts';
import { type BackupContext, withAccess } from '../copying/copy-context.ts';
import { backupRoute } from '../copying/route.ts';

/** The means to archive a version: the context of its copy, the receipts of its rule, and the owner of the claim. */
export interface ArchiveContext {
  rule: string;
  receipts: ReceiptStore;
  copying: BackupContext;
  /** The owner of the claims, which the copies record. A second attempt after a crash should have the same owner. */
  owner: string;
  claimMs: number;
  /** A version is archived only when its blob has been quiet for so long, if the rule says so. */
  quietMinutes?: number;
}

/**
 * For one upload of at most `largest` bytes: an asynchronous copy reads for hours with the access that it began with.
 * Uploads need no lock of the rule: they are archived while runs of the rule are in progress, and receipts keep the two
 * apart. Throws `StorageError` if there is no access to the source.
 */
export async function archiveContextFor(
  deps: Dependencies,
  rule: string,
  owner: string,
  largest: number,
): Promise<ArchiveContext> {
  const context = jobContextOf(deps, rule);
  const container = context.job.source.containers[0]!;
  const task = { container, destination: expand(context.job.destination.container, container) };
  const route = backupRoute(context, task, { id: owner, mode: 'reconcile' });
  return archiveContextOf(deps, rule, await withAccess(deps, route, largest, new AbortController().signal));
}

/** In a run of the rule: the id of the run is the owner. */
export function archiveContextOf(deps: Dependencies, rule: string, copying: BackupContext): ArchiveContext {
  const quietMinutes = jobContextOf(deps, rule).rule?.quietMinutes;
  return {
    ...{ rule, receipts: receiptsOf(deps, rule), copying, owner: copying.owner, claimMs: deps.limits.claimMs },
    ...(quietMinutes !== undefined && { quietMinutes }),
  };
}
