import type { Dependencies } from '#app/dependencies.ts';
import { restoreProblemCode } from '#app/restore-problem-code.ts';
import { decideFound, nameNotFound, restoreWalk } from '#app/restore-walk.ts';
import { TargetListing } from '#app/target-listing.ts';
import { WatchedFilter } from '#domain/blobs/blob-filter.ts';
import { isArchived } from '#domain/restore/locate.ts';
import { defined } from '#domain/run/defined.ts';
import { includedBy } from '#domain/run/included.ts';
import { problemOf } from '#domain/run/problems.ts';
import type { RestoreRef, RunSummary } from '#domain/run/run.ts';
import { countProblem, type Tally } from '#domain/run/tally.ts';
import { addUnmatched } from '#domain/run/unmatched.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { readContainerProperties } from '../run/read-properties.ts';
import { propertiesOf } from '../run/record-properties.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import { inRun, type RunContext } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';
import { damagedOutcome, isDamaged } from './damaged-properties.ts';
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
  const { restore } = run;
  const target = new TargetListing(route, restore.startsWith, route.makeTarget);
  const filter = new WatchedFilter(restore);
  const noting = listings.of.bind(listings);
  const walk = restoreWalk(control, route, { point, container, restore, target, filter, noting, from: input.manifest });
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
    slice.settle(nameNotFound(name, isUnread));
  }
  Object.assign(tally, defined({ included: includedBy(filter.isUsed, filter.example) }));
  if (input.slice === 0 && tally.listed === 0) noteUnmatched(tally, point, container);
  // Of a container that was empty, a restore writes nothing else.
  if (!run.dryRun && isEmpty(point, container)) await listings.of(() => route.makeTarget())();
  if (next === undefined) await settleProperties(context, route, point, slice);
  return slice.finish(next ? { nextManifest: next } : {});
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
