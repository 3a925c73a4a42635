import { blobFilter } from '../domain/blob-filter.ts';
import { sliceKey } from '../domain/control-paths.ts';
import { MergeWalk } from '../domain/merge-walk.ts';
import { type Outcome, outcomeOf, type PlannedCopy } from '../domain/outcome.ts';
import { PartWriter } from '../domain/part.ts';
import { tagsAreWithheld } from '../domain/record.ts';
import { problemOf } from '../domain/report.ts';
import { countOutcome, countPlanned, countProblem, emptyTally } from '../domain/tally.ts';
import { countingRequests } from '../storage/requests.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { routeOf, targetName } from './copy-place.ts';
import { type Dependencies, receiptsOf, workplaceOf } from './dependencies.ts';
import { PlanWriter } from './plan-writer.ts';
import { problemCodeOf, type Side } from './problem-code.ts';
import { type NameWithReceipts, receiptPages } from './receipt-pages.ts';
import { RunGuard } from './run-guard.ts';
import { type ScanSliceInput, type ScanSliceResult, sourceLister } from './scan-slice.ts';

/**
 * Lists a stretch of a rule's source beside the receipts of its rule, and plans to archive every version that has no done receipt.
 * No request for a blob that has one. Safe to run twice, as every scan.
 */
export function makeFindUnarchived(deps: Dependencies) {
  return async function findUnarchived(input: ScanSliceInput): Promise<ScanSliceResult> {
    const { run, container, destination } = input;
    const { job, source, vault, control } = workplaceOf(deps, run.job);
    const route = routeOf(deps, input);
    const guard = new RunGuard(control, run, deps.now);
    const tally = emptyTally(container, destination);
    const isSelected = blobFilter({ include: job.source.include, exclude: job.source.exclude });
    const part = new PartWriter<Outcome>();
    const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
    // Which account a failure came from.
    let side: Side = 'destination';
    const listSource = sourceLister(source, container, job.source.prefix);

    const readSource = async (marker: string | undefined) => {
      try {
        return await listSource(marker);
      } catch (error) {
        side = 'source';
        throw error;
      }
    };
    const settle = (outcome: Outcome) => {
      countOutcome(tally, outcome);
      part.add(outcome);
    };

    return countingRequests(tally.requests, async () => {
      try {
        const standing = await guard.standing();
        if (standing !== 'go') return { stopped: standing };
        const deadline = deps.now().getTime() + deps.limits.scanMs;
        const walk = new MergeWalk(readSource, receiptPages(receiptsOf(deps, run.job), job.source.prefix), {
          from: input.from,
        });
        const mayGoOn = (more = 0) =>
          tally.listed + more < deps.limits.sliceBlobs &&
          plan.chunks < deps.limits.sliceChunks &&
          deps.now().getTime() < deadline;
        do {
          for (const { source: blob, mirror } of await walk.nextPairs((listed) => mayGoOn(listed))) {
            if (!isSelected(blob.name)) continue;
            tally.listed++;
            tally.listedBytes += blob.size;
            const known = (mirror as NameWithReceipts | undefined)?.receipts.find(({ etag }) => etag === blob.etag);
            if (known?.state === 'done') {
              // Counted, and not told by name: its receipt does that, and a reconcile may come by the hour.
              countOutcome(tally, outcomeOf(blob, 'unchanged'));
            } else if (blob.isDirectory) {
              settle(outcomeOf(blob, 'skipped', { code: 'directory' }));
            } else if (
              !source.canAddress(container, blob.name) ||
              !vault.canAddress(destination, targetName(route, { source: blob }))
            ) {
              settle(outcomeOf(blob, 'skipped', { code: 'unsupported-name' }));
            } else {
              // Another state than `new` has its receipt read first: it may be another's claim, or have been missed by the walk.
              const planned: PlannedCopy = { source: blob, reason: known || walk.order.wasWrong ? 'pending' : 'new' };
              if (tagsAreWithheld(blob)) countProblem(tally, 'tags-not-read');
              countPlanned(tally, planned);
              await plan.add(planned);
            }
          }
          const now = await guard.standing();
          if (now !== 'go') return { stopped: now };
        } while (walk.position !== undefined && mayGoOn());
        if (!walk.order.isKnown) countProblem(tally, 'order-unknown', 0);
        const chunks = await plan.finish();
        // Once, instead of by each of the copies that find it missing; if it cannot be made, they tell why.
        if (chunks.length > 0 && !run.dryRun) await vault.createContainer(destination).catch(ignoreStorage);
        const next = walk.position;
        const result: ScanSliceResult = { chunks, ...(next !== undefined && { next }) };
        if (next === undefined) tally.last = true;
        return await control.writePart(run, 'scan', sliceKey(input.slice), part, tally, result);
      } catch (error) {
        if (!isStorageError(error)) throw error;
        return { problem: problemOf(problemCodeOf(error, side), 0, container, error.message) };
      }
    });
  };
}

function ignoreStorage(error: unknown): void {
  if (!isStorageError(error)) throw error;
}
