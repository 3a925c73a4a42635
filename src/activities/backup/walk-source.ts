import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf, type Side } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { blobFilter, WatchedFilter } from '#domain/blobs/blob-filter.ts';
import type { ListingPage, ReadPage } from '#domain/blobs/listing-cursor.ts';
import { MergeWalk } from '#domain/blobs/merge-walk.ts';
import type { NameOrder } from '#domain/blobs/name-order.ts';
import { readRecord, tagsAreWithheld } from '#domain/copying/record.ts';
import { defined } from '#domain/run/defined.ts';
import { includedBy } from '#domain/run/included.ts';
import { type Outcome, outcomeOf, type PlannedItem } from '#domain/run/outcome.ts';
import { problemOf } from '#domain/run/problems.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { countNotPreserved, countProblem, type Tally } from '#domain/run/tally.ts';
import { addUnmatched, type Unmatched } from '#domain/run/unmatched.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { type BackupRoute, backupRoute, targetName } from '../copying/route.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';

/**
 * The decision about one listed blob: an outcome, which the part counts and, unless `isNamed` is false, names; or a
 * copy.
 */
export type Decided = { outcome: Outcome; isNamed?: false } | { planned: PlannedItem };

/** The second listing of a walk, and how to decide a blob. */
export interface Beside {
  read: ReadPage;
  /** The name of a source blob in the second listing. */
  nameOf(name: string): string;
  decide(blob: BlobState, beside: BlobState | undefined, order: NameOrder): Decided | Promise<Decided>;
  /** Called in the first slice, before its part is written. */
  first?(context: RunContext): Promise<void>;
  /** Called before the first copy is planned. */
  planned(): Promise<void>;
}

/**
 * Walks a slice of a container and a second listing, decides every blob, plans those to copy, and writes the other
 * outcomes into a part of the manifest. The limits of blobs, chunks and milliseconds end a slice. Safe to run twice:
 * the first execution that writes the part decides what the slice has.
 */
export async function walkSource(deps: Dependencies, input: SliceInput, beside: Beside): Promise<SliceResult> {
  // A page that is read ahead may fail long before it is needed, so its failure says which account it came from.
  const fromSource = new WeakSet<object>();
  try {
    return await inRun(deps, input, (context) => walkSlice(context, input, beside, fromSource));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const side: Side = fromSource.has(error) ? 'source' : 'destination';
    return { problem: problemOf(problemCodeOf(error, side), 0, input.container, error.message) };
  }
}

async function walkSlice(
  context: RunContext,
  input: SliceInput,
  beside: Beside,
  fromSource: WeakSet<object>,
): Promise<SliceResult> {
  const { run, job, source, container, tally } = context;
  const filter = new WatchedFilter(job.source);
  const isDirectorySelected = blobFilter(job.source);
  const isSelected = ({ name, isDirectory }: BlobState) =>
    isDirectory ? isDirectorySelected(name) : filter.selects(name);
  const listSource = sourceLister(source, container, job.source.prefix);
  const readSource = async (marker: string | undefined): Promise<ListingPage> => {
    try {
      return await listSource(marker);
    } catch (error) {
      fromSource.add(error as object);
      throw error;
    }
  };
  const route = backupRoute(context, input, run);
  const slice = new SliceWriter(context, input.slice);
  const walk = new MergeWalk(readSource, beside.read, { from: input.from, nameBeside: beside.nameOf });
  let isFirst = !run.dryRun;
  let unmatched: Unmatched | undefined;
  do {
    for (const { source: blob, beside: paired } of await walk.nextPairs((listed) => !slice.isFull(listed))) {
      if (!isSelected(blob)) {
        if (!blob.isDirectory) unmatched = addUnmatched(unmatched, 1, blob.name);
        continue;
      }
      slice.list(blob.size);
      countListed(tally, blob, run.job);
      const decided = addressable(route, blob, await beside.decide(blob, paired, walk.order));
      if (isFirst && 'planned' in decided) {
        await beside.planned();
        isFirst = false;
      }
      await take(context, slice, blob, decided);
    }
    await context.ensureMayContinue();
  } while (walk.position !== undefined && !slice.isFull());
  if (!walk.order.isKnown) countProblem(tally, 'order-unknown', 0);
  if (input.slice === 0 && !run.dryRun) await beside.first?.(context);
  const next = walk.position;
  if (tally.listed === 0 && input.slice === 0) unmatched ??= await besidePrefix(source, container, job.source.prefix);
  if (tally.listed === 0 && unmatched) tally.unmatched = unmatched;
  Object.assign(tally, defined({ included: includedBy(filter.isUsed, filter.example) }));
  return slice.finish(next === undefined ? {} : { next });
}

/** Counts what a copy of the blob lacks. */
function countListed(tally: Tally, blob: BlobState, job: string): void {
  if (blob.isDirectory) countNotPreserved(tally, 'directories');
  if (hasOwnScope(blob)) countNotPreserved(tally, 'blob-encryption-scope');
  // The copies of this run have a record of their own instead; the entries keep this one.
  const record = readRecord(blob.metadata);
  if (!record) return;
  // A restore may have to copy a blob with its record, which it removes right after.
  countProblem(tally, parseRunId(record.run)?.job === job ? 'being-restored' : 'other-vault');
}

/** The scope of the account itself is the service's name for none. */
function hasOwnScope({ encryptionScope }: BlobState): boolean {
  return encryptionScope !== undefined && encryptionScope !== '$account-encryption-key';
}

/** A blob of a container in which no name begins with the prefix. */
async function besidePrefix(source: BlobAccount, container: string, prefix: string): Promise<Unmatched | undefined> {
  if (prefix === '') return undefined;
  try {
    const { blobs } = await source.listBlobs(container, { limit: 1 });
    return blobs[0] && addUnmatched(undefined, 1, blobs[0].name);
  } catch (error) {
    // The listing of the prefix has succeeded: without an example, the run is as empty as before.
    if (!isStorageError(error)) throw error;
    return undefined;
  }
}

/** What is decided, unless requests cannot carry the name of the blob to be copied. */
function addressable(route: BackupRoute, blob: BlobState, decided: Decided): Decided {
  if ('outcome' in decided) return decided;
  const canBeCopied =
    route.source.canAddress(route.container, blob.name) &&
    route.target.canAddress(route.destination, targetName(route, decided.planned));
  return canBeCopied ? decided : { outcome: outcomeOf(blob, 'skipped', { code: 'unsupported-name' }) };
}

async function take(context: RunContext, slice: SliceWriter, blob: BlobState, decided: Decided): Promise<void> {
  if ('planned' in decided) {
    if (tagsAreWithheld(blob)) countProblem(context.tally, 'tags-not-read');
    await slice.plan(decided.planned);
  } else if (decided.isNamed === false) {
    slice.count(decided.outcome);
  } else {
    slice.settle(decided.outcome);
  }
}

/** Reads pages of the source with index tags, and without them if the app may not read tags. */
function sourceLister(source: BlobAccount, container: string, prefix: string) {
  let tags = true;
  return async (marker: string | undefined): Promise<ListingPage> => {
    const options = { prefix, metadata: true, contentHeaders: true, ...(marker !== undefined && { marker }) };
    if (!tags) return source.listBlobs(container, options);
    try {
      return await source.listBlobs(container, { ...options, tags: true });
    } catch (error) {
      // 403 without the right to read tags; other refusals if the account has no tags at all.
      if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
      const page = await source.listBlobs(container, options);
      tags = false;
      return page;
    }
  };
}
