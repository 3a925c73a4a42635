import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, receiptsOf } from '#app/job-context.ts';
import { expand } from '#domain/blobs/container-template.ts';
import type { ReceiptStore } from '#storage/control/receipt-store.ts';
import { type CopyContext, copyContextOf } from '../copying/copy-context.ts';

/** What archiving a version takes: the way to copy it, the receipts of its rule, and who is at it. */
export interface ArchiveContext {
  rule: string;
  receipts: ReceiptStore;
  copying: CopyContext;
  /** Owns the claims, and is recorded in the copies. Whoever tries again after a crash should have the same. */
  owner: string;
  claimMs: number;
}

/**
 * Of a single upload of at most so many bytes: an asynchronous copy reads for hours with the access that it was begun with.
 * Throws `StorageError` where no access to the source can be had.
 */
export async function archiveContextFor(
  deps: Dependencies,
  rule: string,
  owner: string,
  largest: number,
): Promise<ArchiveContext> {
  const { job } = jobContextOf(deps, rule);
  const container = job.source.containers[0]!;
  const startedAt = deps.now().toISOString();
  // Nobody holds the rule's lock: uploads are archived while its runs are at work, and the receipts keep them apart.
  const run = { id: owner, job: rule, mode: 'reconcile', trigger: 'run', dryRun: false, startedAt, epoch: 0 } as const;
  const share = { run, container, destination: expand(job.destination.container, container) };
  return archiveContextOf(deps, rule, await copyContextOf(deps, share, largest, new AbortController().signal));
}

/** In a run of the rule: its id is the owner. */
export function archiveContextOf(deps: Dependencies, rule: string, copying: CopyContext): ArchiveContext {
  return {
    rule,
    receipts: receiptsOf(deps, rule),
    copying,
    owner: copying.run.id,
    claimMs: deps.limits.claimMs,
  };
}
