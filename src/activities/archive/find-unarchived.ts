import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, receiptsOf } from '#app/job-context.ts';
import { outcomeOf } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { walkSource } from '../backup/walk-source.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { type NameWithReceipts, receiptPages } from './receipt-pages.ts';

/**
 * Lists a stretch of a rule's source beside the receipts of its rule, and plans to archive every version that has no done receipt.
 * No request for a blob that has one. Safe to run twice, as every scan.
 */
export async function findUnarchived(deps: Dependencies, input: SliceInput): Promise<SliceResult> {
  const { job, vault } = jobContextOf(deps, input.run.job);
  return walkSource(deps, input, {
    nameOf: (name) => name,
    read: receiptPages(receiptsOf(deps, input.run.job), job.source.prefix),
    decide(blob, named, order) {
      const known = (named as NameWithReceipts | undefined)?.receipts.find(({ etag }) => etag === blob.etag);
      // Counted, and not told by name: its receipt does that, and a reconcile may come by the hour.
      if (known?.state === 'done') return { outcome: outcomeOf(blob, 'unchanged'), isNamed: false };
      if (blob.isDirectory) return { outcome: outcomeOf(blob, 'skipped', { code: 'directory' }) };
      // Another reason than `new` has the receipt read first: it may be another's claim, or have been missed by the walk.
      return { planned: { from: blob, reason: known || order.wasWrong ? 'pending' : 'new' } };
    },
    async planned() {
      try {
        // Once, instead of by each of the copies that find it missing; if it cannot be made, they tell why.
        await vault.createContainer(input.destination);
      } catch (error) {
        if (!isStorageError(error)) throw error;
      }
    },
  });
}
