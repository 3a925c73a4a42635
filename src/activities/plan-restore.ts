import { blobFilter } from '../domain/blob-filter.ts';
import { sliceKey } from '../domain/control-paths.ts';
import { sourceOf } from '../domain/copy-source.ts';
import { ListingCursor, type ListingPage } from '../domain/listing-cursor.ts';
import { hasOtherHash, locate } from '../domain/locate.ts';
import { inListedOrder, isHeld, type ManifestPosition, manifestPages } from '../domain/manifest.ts';
import { NameOrder } from '../domain/name-order.ts';
import { asBackedUp, type Outcome, type PlannedCopy } from '../domain/outcome.ts';
import { PartWriter } from '../domain/part.ts';
import { problemOf } from '../domain/report.ts';
import { decideRestore, isBrokenOff, isMadeBy } from '../domain/restore.ts';
import { countOutcome, countPlanned, emptyTally } from '../domain/tally.ts';
import type { BlobAccount, ListBlobsOptions } from '../storage/blob-account.ts';
import { countingRequests } from '../storage/requests.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { routeOf } from './copy-place.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';
import { pointOf } from './find-point.ts';
import { PlanWriter } from './plan-writer.ts';
import { codeOf, listNamed, missingOrOther, ofVault, traceOf } from './restore-blob.ts';
import { RunGuard } from './run-guard.ts';
import type { ScanSliceInput, ScanSliceResult } from './scan-slice.ts';

/**
 * Walks a stretch of a restore point's manifest beside the listings of its mirror, with everything that is kept there, and of the
 * target; decides every blob, and writes what is to be copied into plan chunks and everything else into a part. No request per
 * blob, unless the listings do not show it where it should be. Safe to run twice, as `scanSlice` is.
 */
export function makePlanRestore(deps: Dependencies) {
  return async function planRestore(input: ScanSliceInput): Promise<ScanSliceResult> {
    const { run, container, destination } = input;
    const task = run.restore!;
    const { control } = workplaceOf(deps, run.job);
    const route = routeOf(deps, input);
    const guard = new RunGuard(control, run, deps.now);
    const tally = emptyTally(container, destination);
    const part = new PartWriter<Outcome>();
    const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
    // What a listing of the vault or of the target failed with: both are said to be at fault in words of their own.
    const failures = new WeakSet<object>();
    const noting = <Asked extends unknown[], Answer>(ask: (...asked: Asked) => Promise<Answer>) => {
      return async (...asked: Asked): Promise<Answer> => {
        try {
          return await ask(...asked);
        } catch (error) {
          if (isStorageError(error)) failures.add(error);
          throw error;
        }
      };
    };
    const isChosen = blobFilter({ include: task.include, exclude: task.exclude });
    const settle = (outcome: Outcome) => {
      countOutcome(tally, outcome);
      part.add(outcome);
    };

    const planned = countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const point = await pointOf(control, run.job, task.point);
      const pages = manifestPages(point.parts, container);
      const deadline = deps.now().getTime() + deps.limits.scanMs;
      const order = new NameOrder();
      let at: ManifestPosition = input.manifest ?? { page: 0 };
      let vault: ListingCursor | undefined;
      let target: ListingCursor | undefined;
      let pass = pages[at.page]?.run;
      let last: string | undefined;

      for (; at.page < pages.length; ) {
        const page = pages[at.page]!;
        const read = await control.readManifest(page);
        const entries = inListedOrder(
          read.filter((items) => Array.isArray(items)),
          order,
          page.run === pages[0]!.run,
        );
        const [first] = entries;
        // A retry's parts go over the names once more, and not always in one stretch.
        const goesBack = last !== undefined && first !== undefined && order.compare(first.name, last) < 0;
        if (page.run !== pass || goesBack) {
          at = { page: at.page };
          vault = target = undefined;
          pass = page.run;
        }
        last = entries.at(-1)?.name ?? last;
        const inMirror = route.sourcePrefix + task.startsWith;
        vault ??= new ListingCursor(
          noting(ofVault(reader(route.source, route.container, { prefix: inMirror, kept: true }))),
          at.vault,
          order,
        );
        target ??= new ListingCursor(
          noting(targetReader(route.target, destination, route.targetPrefix + task.startsWith)),
          at.target,
          order,
        );
        for (const [index, items] of read.entries()) {
          if (Array.isArray(items)) continue;
          // What it held cannot be named any more; everything else is restored.
          const { path, copied, unchanged } = page.parts[index]!;
          const message = `${items.message}; ${copied + unchanged} blobs of the restore point cannot be named`;
          tally.listed++;
          settle({ name: path, status: 'failed', etag: '', modified: '', size: 0, code: 'damaged', message });
        }
        for (const entry of entries) {
          if (!isHeld(entry) || !entry.name.startsWith(task.startsWith) || !isChosen(entry.name)) continue;
          tally.listed++;
          tally.listedBytes += entry.size;
          const inVault = route.sourcePrefix + entry.name;
          const inTarget = route.targetPrefix + entry.name;
          if (!route.source.canAddress(route.container, inVault) || !route.target.canAddress(destination, inTarget)) {
            settle({ ...asBackedUp(entry), status: 'failed', code: 'unsupported-name' });
            continue;
          }
          let found = await vault.takeAll(inVault);
          let content = locate(entry, found);
          if (content === undefined) {
            // Listings that are sorted differently, or cut between a blob and its snapshots, may have shown it elsewhere.
            found = await noting(ofVault(listNamed))(route.source, route.container, inVault);
            content = locate(entry, found);
          }
          const [there] = await target.takeAll(inTarget);
          if (content === undefined || hasOtherHash(entry, content)) {
            const code = content === undefined ? missingOrOther(entry, found) : 'content-mismatch';
            settle({ ...asBackedUp(entry), status: 'failed', code });
            continue;
          }
          const from = sourceOf(route.source.endpoint, route.container, content);
          // What is there before this run has copied anything can be at most of the run that it retries.
          const ours =
            run.retryOf !== undefined && there !== undefined && isMadeBy(run, there, content, from, undefined);
          const decision =
            there !== undefined && isBrokenOff(there, from)
              ? { action: 'copy' as const }
              : decideRestore(entry, content, there, task, ours);
          if (decision.action === 'copy' || decision.action === 'done') {
            const planned: PlannedCopy = {
              source: content,
              reason: 'restore',
              entry: asHeld(entry),
              ...(there && !ours && { mirror: there }),
            };
            countPlanned(tally, planned);
            await plan.add(planned);
          } else if (decision.action === 'unchanged') {
            settle({ ...asBackedUp(entry), status: 'unchanged' });
          } else if (decision.action === 'skip' || decision.action === 'fail') {
            const status = decision.action === 'skip' ? 'skipped' : 'failed';
            settle({ ...asBackedUp(entry), status, code: decision.code, ...(status === 'failed' && traceOf(there)) });
          }
        }
        // The passes of retries begin at the first name again.
        const goesOn = pages[at.page + 1]?.run === pages[0]!.run;
        at = { page: at.page + 1, ...(goesOn && { vault: vault.marker, target: target.marker }) };
        const now = await guard.standing();
        if (now !== 'go') return { stopped: now };
        const enough =
          tally.listed >= deps.limits.sliceBlobs ||
          plan.chunks >= deps.limits.sliceChunks ||
          deps.now().getTime() >= deadline;
        if (enough) break;
      }
      const next = at.page < pages.length ? { nextManifest: at } : {};
      if (at.page >= pages.length) tally.last = true;
      const result: ScanSliceResult = { chunks: await plan.finish(), ...next };
      return control.writePart(run, 'scan', sliceKey(input.slice), part, tally, result);
    });
    return planned.catch((error): ScanSliceResult => {
      if (!isStorageError(error) || !failures.has(error)) throw error;
      return { problem: problemOf(codeOf(error), 0, container, error.message) };
    });
  };
}

/** With what its backup could not carry along, which will be missing in the restored blob too. */
function asHeld(entry: Outcome): Outcome {
  const lacks = entry.code === 'tags-not-read' || entry.code === 'tags-not-written' ? { code: entry.code } : {};
  return { ...asBackedUp(entry), status: entry.status, ...lacks };
}

function reader(account: BlobAccount, container: string, options: ListBlobsOptions) {
  return async (marker: string | undefined): Promise<ListingPage> => {
    try {
      return await account.listBlobs(container, {
        metadata: true,
        contentHeaders: true,
        copy: true,
        ...options,
        ...(marker !== undefined && { marker }),
      });
    } catch (error) {
      // Everything in it is missing then, and is told so blob by blob.
      if (isStorageError(error, 'container-not-found')) return { blobs: [] };
      throw error;
    }
  };
}

/** With tags where they may be read: only to tell what is the same already. */
function targetReader(account: BlobAccount, container: string, prefix: string) {
  const plain = reader(account, container, { prefix });
  const tagged = reader(account, container, { prefix, tags: true });
  let tags = true;
  return async (marker: string | undefined): Promise<ListingPage> => {
    if (tags) {
      try {
        return await tagged(marker);
      } catch (error) {
        if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
        tags = false;
      }
    }
    return plain(marker);
  };
}
