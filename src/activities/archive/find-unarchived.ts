import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, receiptsOf } from '#app/job-context.ts';
import { untilQuiet } from '#domain/archive/quiet.ts';
import { outcomeOf } from '#domain/run/outcome.ts';
import { walkSource } from '../backup/walk-source.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { type NameWithReceipts, receiptPages } from './receipt-pages.ts';

/**
 * Lists a slice of a rule's source in parallel with the receipts of the rule, and plans to archive every version
 * without a done receipt, unless it has changed too recently for the rule. A blob that has one costs no request. Safe
 * to run twice, like every planning activity.
 */
export async function findUnarchived(deps: Dependencies, input: SliceInput): Promise<SliceResult> {
  const { job, vault, rule } = jobContextOf(deps, input.run.job);
  return walkSource(deps, input, {
    nameOf: (name) => name,
    read: receiptPages(receiptsOf(deps, input.run.job), job.source.prefix),
    decide(blob, named, order) {
      const known = (named as NameWithReceipts | undefined)?.receipts.find(({ etag }) => etag === blob.etag);
      // Counted, but not named: the receipt names it, and a reconcile may run every hour.
      if (known?.state === 'done') return { outcome: outcomeOf(blob, 'unchanged'), isNamed: false };
      if (known?.state === 'settled') {
        return { outcome: outcomeOf(blob, 'skipped', { code: 'settled-by-operator' }), isNamed: false };
      }
      if (blob.isDirectory) return { outcome: outcomeOf(blob, 'skipped', { code: 'directory' }) };
      if (untilQuiet(blob, rule?.quietMinutes, deps.now()) > 0) {
        return { outcome: outcomeOf(blob, 'skipped', { code: 'changed-recently' }) };
      }
      // With another reason than `new`, the copy reads the receipt first: another owner may hold it, or the walk missed
      // it.
      return { planned: { from: blob, reason: known || order.wasWrong ? 'pending' : 'new' } };
    },
    async planned() {
      // Created here once, and not by each copy that finds it missing.
      await vault.createContainer(input.destination);
    },
  });
}
