import type { Dependencies } from '#app/dependencies.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { WatchedFilter } from '#domain/blobs/blob-filter.ts';
import { ListingCursor, type ReadPage } from '#domain/blobs/listing-cursor.ts';
import { NameOrder } from '#domain/blobs/name-order.ts';
import { vaultNameOf } from '#domain/copying/vault-name.ts';
import { isArchived } from '#domain/restore/locate.ts';
import { defined } from '#domain/run/defined.ts';
import { includedBy } from '#domain/run/included.ts';
import { type ManifestPage, manifestPages } from '#domain/run/manifest.ts';
import { mayHold } from '#domain/run/name-range.ts';
import { asBackedUp, type BlobEntry, type Held, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { PartEntry, RestoreRef, RunSummary } from '#domain/run/run.ts';
import { countProblem, type Tally } from '#domain/run/tally.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { addUnmatched } from '#domain/run/unmatched.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { listNamed } from '../copying/list-named.ts';
import { readContainerProperties } from '../run/read-properties.ts';
import { propertiesOf } from '../run/record-properties.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';
import { damagedOutcome, isDamaged } from './damaged-properties.ts';
import { decideEntry, isCopiedBy } from './decide-entry.ts';
import { failedEntry } from './failed-entry.ts';
import { ofVault } from './held-content.ts';
import { backupPages, contentPages, type FoundEntry, ManifestWalk, type WalkBeside } from './manifest-walk.ts';
import { traceOf } from './restore-blob.ts';
import { restoreProblemCode } from './restore-problem-code.ts';
import { restoreProperties } from './restore-properties.ts';
import { type RestoreRoute, restoreRoute } from './restore-route.ts';

/**
 * Walks a slice of the manifest of a restore point in parallel with the listings of its backup container, with all
 * snapshots and versions, and of the target. Decides every blob, plans those to copy, and writes the other outcomes
 * into a part. It sends no request per blob, unless the listings do not show a blob where it should be. Safe to run
 * twice, as `scanSlice` is.
 */
export async function planRestore(deps: Dependencies, input: SliceInput<RestoreRef>): Promise<SliceResult> {
  const { container } = input;
  const listings = new NotedFailures();
  try {
    return await inRun(deps, input, (context) => planSlice(context, input, listings));
  } catch (error) {
    if (!isStorageError(error) || !listings.failedWith(error)) throw error;
    return { problem: problemOf(restoreProblemCode(error), 0, container, error.message) };
  }
}

async function planSlice(
  context: RunContext<RestoreRef>,
  input: SliceInput<RestoreRef>,
  listings: NotedFailures,
): Promise<SliceResult> {
  const { deps, run, container, control, tally } = context;
  const route = restoreRoute(deps, context, input);
  const point = await restorePointSummary(control, run.job, run.restore.point);
  const target = new TargetListing(route, run.restore.startsWith);
  const filter = new WatchedFilter(run.restore);
  const beside = besideOf(route, run, { target, filter, listings });
  const walk = new ManifestWalk(control, pagesOf(point, container, run.restore), beside, input.manifest);
  const missing = new Set(run.restore.names);
  let isUnread = false;
  const slice = new SliceWriter(context, input.slice);
  while (walk.position !== undefined) {
    const { found, damaged } = await walk.nextPage();
    tally.listed += damaged.length;
    isUnread ||= damaged.length > 0;
    // The blobs of those parts cannot be named any more. Everything else is restored.
    for (const outcome of damaged) slice.settle(outcome);
    for (const each of found) {
      slice.list(each.entry.size);
      missing.delete(each.entry.name);
      const decided = decideFound(route, each);
      if ('from' in decided && !run.dryRun) await listings.of(() => target.ensure())();
      // What the run itself does is no problem: only a dry run has to foretell it.
      else if ('from' in decided && isArchived(decided.from)) countProblem(tally, 'content-to-rehydrate');
      await ('from' in decided ? slice.plan(decided) : slice.settle(decided));
    }
    await context.ensureMayContinue();
    // One slice finds all names, so that it knows which are missing.
    if (!run.restore.names && slice.isFull()) break;
  }
  const next = walk.position;
  for (const name of missing) {
    slice.list(0);
    slice.settle(notFound(name, isUnread));
  }
  Object.assign(tally, defined({ included: includedBy(filter.isUsed, filter.example) }));
  if (input.slice === 0 && tally.listed === 0) noteUnmatched(tally, point, container);
  // Of a container that was empty, a restore writes nothing else.
  if (!run.dryRun && isEmpty(point, container)) await listings.of(() => route.makeTarget())();
  if (next === undefined) await settleProperties(context, route, point, slice);
  return slice.finish(next ? { nextManifest: next } : {});
}

/** The manifest of a container; of a restore of some names, without the parts that cannot have them. */
function pagesOf({ parts }: RunSummary, container: string, { names }: RestoreTask): ManifestPage[] {
  const pages = manifestPages(parts, container);
  if (!names) return pages;
  const mayHaveSome = (part: PartEntry) => names.some((name) => mayHold(part.names, name));
  return pages.map((page) => ({ ...page, parts: page.parts.filter(mayHaveSome) }));
}

/** The outcome of a name that was asked for and not found: no restore must look as if it had restored it. */
function notFound(name: string, isUnread: boolean): Outcome {
  const code = isUnread ? 'damaged' : 'container-not-held';
  const message = isUnread
    ? 'A damaged part of the restore point may have had this blob'
    : 'The restore point does not hold a blob of this name';
  return { name, status: 'failed', etag: '', modified: '', size: 0, code, message };
}

/** What the restore point has of a container, if the request selects none of it. */
function noteUnmatched(tally: Tally, { parts }: RunSummary, container: string): void {
  for (const { copied, unchanged, names } of parts.filter((part) => part.container === container)) {
    if (copied + unchanged > 0) tally.unmatched = addUnmatched(tally.unmatched, copied + unchanged, names?.[0]);
  }
}

function isEmpty({ parts }: RunSummary, container: string): boolean {
  return parts.every((part) => part.container !== container || part.copied + part.unchanged === 0);
}

async function settleProperties(
  context: RunContext<RestoreRef>,
  { target, destination }: RestoreRoute,
  point: RunSummary,
  slice: SliceWriter,
): Promise<void> {
  const recorded = await propertiesOf(context.control, point, context.container);
  if (recorded === undefined) return;
  if (isDamaged(recorded)) {
    slice.list(0);
    slice.settle(damagedOutcome(recorded));
    return;
  }
  await restoreProperties(context, recorded, {
    read: () => readContainerProperties(target, destination),
    set: (access) => target.setAccess(destination, access),
  });
}

function besideOf(
  route: RestoreRoute,
  { restore: { startsWith, names } }: RestoreRef,
  { target, filter, listings }: { target: TargetListing; filter: WatchedFilter; listings: NotedFailures },
): WalkBeside {
  const { source, container, sourcePrefix, targetPrefix } = route;
  const pages = backupPages(source, container, sourcePrefix, startsWith);
  const byName = {
    listNamed: listings.of(ofVault((name: string) => listNamed(source, container, name))),
    backupPrefix: sourcePrefix,
  };
  if (names) {
    const wanted = new Set(names);
    return {
      ...byName,
      // A few names in a large container: each is listed on its own, on both sides.
      readBackup: () => async () => ({ blobs: [] }),
      findTarget: listings.of((name) => target.find(name)),
      isWanted: (name) => wanted.has(name),
    };
  }
  return {
    ...byName,
    readBackup: (beside) => listings.of(ofVault(pages(beside))),
    target: { read: listings.of((marker) => target.read(marker)), prefix: targetPrefix },
    isWanted: (name) => name.startsWith(startsWith) && filter.selects(name),
  };
}

/** What a slice does with one entry: an outcome, or a copy to plan. */
function decideFound(route: RestoreRoute, { entry, content, named, target }: FoundEntry): Outcome | PlannedItem {
  if (!canBeRestored(route, entry)) return failedEntry(entry, 'unsupported-name');
  if (typeof content === 'string') return failedEntry(entry, content);
  // This run has copied nothing yet: a target blob can only be the work of the run that it retries.
  const isOurs =
    route.run.retryOf !== undefined && target !== undefined && isCopiedBy(route, entry, named, target, undefined);
  const decision = decideEntry(route, entry, content, target, isOurs);
  const planned = (): PlannedItem => ({
    from: content,
    reason: 'restore',
    entry: asHeld(entry),
    ...(target && !isOurs && { to: target }),
  });
  switch (decision.action) {
    case 'copy':
      if (isArchived(content) && route.policy.rehydrate === undefined) return failedEntry(entry, 'content-archived');
      return planned();
    case 'done':
      return planned();
    case 'unchanged':
      return { ...asBackedUp(entry), status: 'unchanged' };
    case 'skip':
      return { ...asBackedUp(entry), status: 'skipped', code: decision.code };
    case 'fail':
      return { ...failedEntry(entry, decision.code), ...traceOf(target) };
  }
}

function canBeRestored(route: RestoreRoute, entry: BlobEntry): boolean {
  return (
    route.source.canAddress(route.container, route.sourcePrefix + vaultNameOf(entry)) &&
    route.target.canAddress(route.destination, route.targetPrefix + entry.name)
  );
}

/** With the code of what its backup could not carry along: the restored blob will lack it too. */
function asHeld(entry: Held): Held {
  const lacks = entry.code === 'tags-not-read' || entry.code === 'tags-not-written' ? { code: entry.code } : {};
  return { ...asBackedUp(entry), status: entry.status, ...lacks };
}

/** Notes which failures come from the listings and the target: the problem then names the vault or the target. */
class NotedFailures {
  readonly #errors = new WeakSet<object>();

  of<Asked extends unknown[], Answer>(ask: (...asked: Asked) => Promise<Answer>): (...asked: Asked) => Promise<Answer> {
    return async (...asked) => {
      try {
        return await ask(...asked);
      } catch (error) {
        if (isStorageError(error)) this.#errors.add(error);
        throw error;
      }
    };
  }

  failedWith(error: object): boolean {
    return this.#errors.has(error);
  }
}

/** The listing of the target, with tags if the app may read them: they only show which blobs are the same already. */
class TargetListing {
  readonly #pages: (startsWith: string, tags: boolean) => ReadPage;
  readonly #startsWith: string;
  readonly #prefix: string;
  #readsTags = true;
  readonly #create: () => Promise<unknown>;
  #isMissing = false;

  constructor({ target, destination, targetPrefix, makeTarget }: RestoreRoute, startsWith: string) {
    this.#prefix = targetPrefix;
    this.#startsWith = startsWith;
    this.#create = makeTarget;
    this.#pages = (prefix, tags) => contentPages(target, destination, { prefix, ...(tags && { tags }) });
  }

  read(marker: string | undefined): ReturnType<ReadPage> {
    return this.#read(this.#prefix + this.#startsWith, marker);
  }

  /** The blob of one name in the restore point. */
  async find(name: string): Promise<BlobState | undefined> {
    const own = this.#prefix + name;
    const cursor = new ListingCursor((marker) => this.#read(own, marker), undefined, new NameOrder());
    return (await cursor.takeAll(own)).find(({ snapshotOrVersion }) => !snapshotOrVersion);
  }

  async #read(prefix: string, marker: string | undefined): ReturnType<ReadPage> {
    try {
      if (this.#readsTags) {
        try {
          return await this.#pages(prefix, true)(marker);
        } catch (error) {
          if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
          this.#readsTags = false;
        }
      }
      return await this.#pages(prefix, false)(marker);
    } catch (error) {
      if (!isStorageError(error, 'container-not-found')) throw error;
      this.#isMissing = true;
      return { blobs: [] };
    }
  }

  /** Creates the container if it is missing: here once, and not by each copy that would find it missing. */
  async ensure(): Promise<void> {
    if (!this.#isMissing) return;
    await this.#create();
    this.#isMissing = false;
  }
}
