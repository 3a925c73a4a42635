import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { blobFilter } from '#domain/blobs/blob-filter.ts';
import type { ReadPage } from '#domain/blobs/listing-cursor.ts';
import { sourceOf } from '#domain/copying/copy-source.ts';
import { decideRestore, isBrokenOff, isMadeBy } from '#domain/restore/restore.ts';
import { sliceKey } from '#domain/run/control-paths.ts';
import { manifestPages } from '#domain/run/manifest.ts';
import { asBackedUp, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { problemOf } from '#domain/run/problems.ts';
import { countOutcome, countPlanned, emptyTally } from '#domain/run/tally.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { routeOf } from '../copying/route.ts';
import { PlanWriter } from '../run/plan-writer.ts';
import { pointOf } from '../run/restore-point-summary.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { listNamed, ofVault } from './held-content.ts';
import { contentPages, ManifestWalk } from './manifest-walk.ts';
import { traceOf } from './restore-blob.ts';
import { codeOf } from './restore-problem-code.ts';

/**
 * Walks a stretch of a restore point's manifest beside the listings of its mirror, with everything that is kept there, and of the
 * target; decides every blob, and writes what is to be copied into plan chunks and everything else into a part. No request per
 * blob, unless the listings do not show it where it should be. Safe to run twice, as `scanSlice` is.
 */
export function makePlanRestore(deps: Dependencies) {
  return async function planRestore(input: SliceInput): Promise<SliceResult> {
    const { run, container, destination } = input;
    const task = run.restore!;
    const { control } = jobContextOf(deps, run.job);
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
      let isTargetMissing = false;
      const canBeRestored = (name: string) =>
        route.source.canAddress(route.container, route.sourcePrefix + name) &&
        route.target.canAddress(destination, route.targetPrefix + name);
      const inMirror = route.sourcePrefix + task.startsWith;
      const walk = new ManifestWalk(
        control,
        pages,
        {
          readMirror: noting(
            ofVault(contentPages(route.source, route.container, { prefix: inMirror, snapshotsAndVersions: true })),
          ),
          lookUp: noting(ofVault((name: string) => listNamed(route.source, route.container, name))),
          mirrorPrefix: route.sourcePrefix,
          target: {
            read: noting(
              targetPages(route.target, destination, route.targetPrefix + task.startsWith, () => {
                isTargetMissing = true;
              }),
            ),
            prefix: route.targetPrefix,
          },
          isWanted: (name) => name.startsWith(task.startsWith) && isChosen(name),
        },
        input.manifest,
      );
      while (walk.position !== undefined) {
        const { found, damaged } = await walk.nextPage();
        tally.listed += damaged.length;
        // What those parts held cannot be named any more; everything else is restored.
        for (const outcome of damaged) settle(outcome);
        for (const { entry, content, there } of found) {
          tally.listed++;
          tally.listedBytes += entry.size;
          if (!canBeRestored(entry.name) || typeof content === 'string') {
            const code = typeof content === 'string' && canBeRestored(entry.name) ? content : 'unsupported-name';
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
            const planned: PlannedItem = {
              from: content,
              reason: 'restore',
              entry: asHeld(entry),
              ...(there && !ours && { to: there }),
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
        const now = await guard.standing();
        if (now !== 'go') return { stopped: now };
        const enough =
          tally.listed >= deps.limits.sliceBlobs ||
          plan.chunks >= deps.limits.sliceChunks ||
          deps.now().getTime() >= deadline;
        if (enough) break;
      }
      const next = walk.position;
      if (next === undefined) tally.last = true;
      const chunks = await plan.finish();
      // Made here once, rather than by each of the copies that would find it missing.
      if (isTargetMissing && chunks.length > 0 && !run.dryRun) {
        await route.target.createContainer(destination).catch((error) => {
          // What stands in the way is told of each blob.
          if (!isStorageError(error)) throw error;
        });
      }
      const result: SliceResult = { chunks, ...(next && { nextManifest: next }) };
      return control.writePart(run, 'slice', sliceKey(input.slice), part, tally, result);
    });
    return planned.catch((error): SliceResult => {
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

/** With tags where they may be read: only to tell what is the same already. */
function targetPages(account: BlobAccount, container: string, prefix: string, missing: () => void): ReadPage {
  const plain = contentPages(account, container, { prefix });
  const tagged = contentPages(account, container, { prefix, tags: true });
  let tags = true;
  return async (marker) => {
    try {
      if (tags) {
        try {
          return await tagged(marker);
        } catch (error) {
          if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
          tags = false;
        }
      }
      return await plain(marker);
    } catch (error) {
      if (!isStorageError(error, 'container-not-found')) throw error;
      missing();
      return { blobs: [] };
    }
  };
}
