import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { problemCodeOf, type Side } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { blobFilter } from '#domain/blobs/blob-filter.ts';
import type { ListingPage, ReadPage } from '#domain/blobs/listing-cursor.ts';
import { MergeWalk } from '#domain/blobs/merge-walk.ts';
import type { NameOrder } from '#domain/blobs/name-order.ts';
import { tagsAreWithheld } from '#domain/copying/record.ts';
import { sliceKey } from '#domain/run/control-paths.ts';
import { type Outcome, outcomeOf, type PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { problemOf } from '#domain/run/problems.ts';
import { countOutcome, countPlanned, countProblem, emptyTally } from '#domain/run/tally.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { routeOf, targetName } from '../copying/route.ts';
import { PlanWriter } from '../run/plan-writer.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';

/** What is to become of one listed blob: an outcome at once, counted and, unless that is not wanted, named; or a copy. */
export type Decided = { outcome: Outcome; isNamed?: false } | { planned: PlannedItem };

/** What the source is walked beside, and how a blob of it is decided. */
export interface Beside {
  read: ReadPage;
  /** The name under which what belongs to a source blob is listed there. */
  nameOf(name: string): string;
  decide(blob: BlobState, beside: BlobState | undefined, order: NameOrder): Decided;
  /** Called when copies have been planned, before anything is told of them. */
  planned(): Promise<void>;
}

/**
 * Lists a stretch of a container beside another listing, has every blob decided, and writes what is to be copied into plan chunks
 * and everything else into a part of the manifest. Ends after so many blobs, chunks, or milliseconds. Safe to run twice: the first
 * to write the part decides what the slice is.
 */
export async function walkSource(deps: Dependencies, input: SliceInput, beside: Beside): Promise<SliceResult> {
  const { run, container, destination } = input;
  const { job, source, vault, control } = jobContextOf(deps, run.job);
  const route = routeOf(deps, input);
  const guard = new RunGuard(control, run, deps.now);
  const tally = emptyTally(container, destination);
  const isSelected = blobFilter({ include: job.source.include, exclude: job.source.exclude });
  const part = new PartWriter<Outcome>();
  const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
  // Which account a failure came from; the page read ahead may fail long before anybody looks.
  const fromSource = new WeakSet<object>();

  const listSource = sourceLister(source, container, job.source.prefix);
  const readSource = async (marker: string | undefined): Promise<ListingPage> => {
    try {
      return await listSource(marker);
    } catch (error) {
      fromSource.add(error as object);
      throw error;
    }
  };
  const canBeCopied = (blob: BlobState) =>
    source.canAddress(container, blob.name) && vault.canAddress(destination, targetName(route, { from: blob }));
  const take = async (blob: BlobState, decided: Decided): Promise<void> => {
    if ('planned' in decided && canBeCopied(blob)) {
      if (tagsAreWithheld(blob)) countProblem(tally, 'tags-not-read');
      countPlanned(tally, decided.planned);
      return plan.add(decided.planned);
    }
    const unnamed = 'outcome' in decided && decided.isNamed === false;
    const outcome = 'outcome' in decided ? decided.outcome : outcomeOf(blob, 'skipped', { code: 'unsupported-name' });
    countOutcome(tally, outcome);
    if (!unnamed) part.add(outcome);
  };

  return countingRequests(tally.requests, async () => {
    try {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const deadline = deps.now().getTime() + deps.limits.scanMs;
      const walk = new MergeWalk(readSource, beside.read, { from: input.from, mirrorName: beside.nameOf });
      const mayGoOn = (more = 0) =>
        tally.listed + more < deps.limits.sliceBlobs &&
        plan.chunks < deps.limits.sliceChunks &&
        deps.now().getTime() < deadline;
      do {
        for (const { source: blob, mirror } of await walk.nextPairs((listed) => mayGoOn(listed))) {
          if (!isSelected(blob.name)) continue;
          tally.listed++;
          tally.listedBytes += blob.size;
          await take(blob, beside.decide(blob, mirror, walk.order));
        }
        const now = await guard.standing();
        if (now !== 'go') return { stopped: now };
      } while (walk.position !== undefined && mayGoOn());
      if (!walk.order.isKnown) countProblem(tally, 'order-unknown', 0);
      const chunks = await plan.finish();
      if (chunks.length > 0 && !run.dryRun) await beside.planned();
      const next = walk.position;
      const result: SliceResult = { chunks, ...(next !== undefined && { next }) };
      if (next === undefined) tally.last = true;
      return await control.writePart(run, 'slice', sliceKey(input.slice), part, tally, result);
    } catch (error) {
      if (!isStorageError(error)) throw error;
      const side: Side = fromSource.has(error) ? 'source' : 'destination';
      return { problem: problemOf(problemCodeOf(error, side), 0, container, error.message) };
    }
  });
}

/** Reads source pages with index tags, and without them where the app may not read tags. */
function sourceLister(source: BlobAccount, container: string, prefix: string) {
  let tags = true;
  return async (marker: string | undefined): Promise<ListingPage> => {
    const options = { prefix, metadata: true, contentHeaders: true, ...(marker !== undefined && { marker }) };
    if (tags) {
      try {
        return await source.listBlobs(container, { ...options, tags: true });
      } catch (error) {
        // 403 without the right to read tags; other refusals where the account has no tags at all.
        if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
        const page = await source.listBlobs(container, options);
        tags = false;
        return page;
      }
    }
    return source.listBlobs(container, options);
  };
}
