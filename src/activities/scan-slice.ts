import type { BlobState } from '../domain/blob.ts';
import { blobFilter } from '../domain/blob-filter.ts';
import { expand } from '../domain/container-template.ts';
import { sliceKey } from '../domain/control-paths.ts';
import { decide } from '../domain/decision.ts';
import type { ListingPage } from '../domain/listing-cursor.ts';
import type { Standing } from '../domain/lock.ts';
import type { ManifestPosition } from '../domain/manifest.ts';
import { MergeWalk, type WalkPosition } from '../domain/merge-walk.ts';
import { type Outcome, outcomeOf, type PlannedCopy } from '../domain/outcome.ts';
import { PartWriter } from '../domain/part.ts';
import { tagsAreWithheld } from '../domain/record.ts';
import { problemOf } from '../domain/report.ts';
import type { Problem } from '../domain/run.ts';
import { countOutcome, countPlanned, countProblem, emptyTally } from '../domain/tally.ts';
import type { BlobAccount } from '../storage/blob-account.ts';
import { countingRequests } from '../storage/requests.ts';
import { isStorageError } from '../storage/storage-error.ts';
import type { Share } from './copy-place.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';
import { type PlanChunk, PlanWriter } from './plan-writer.ts';
import { problemCodeOf, type Side } from './problem-code.ts';
import { RunGuard } from './run-guard.ts';

export interface ScanSliceInput extends Share {
  slice: number;
  from?: WalkPosition;
  /** In place of `from`, where it is not the source that is walked but a restore point's manifest. */
  manifest?: ManifestPosition;
}

export interface ScanSliceResult {
  chunks?: PlanChunk[];
  /** Where the next slice begins; absent after the last. */
  next?: WalkPosition;
  nextManifest?: ManifestPosition;
  problem?: Problem;
  stopped?: Exclude<Standing, 'go'>;
}

/**
 * Lists a stretch of a container and of its mirror side by side, decides every blob, and writes what is to be copied
 * into plan chunks and everything else into a part of the manifest. Safe to run twice: the first to write the part
 * decides what the slice is.
 */
export function makeScanSlice(deps: Dependencies) {
  return async function scanSlice(input: ScanSliceInput): Promise<ScanSliceResult> {
    const { run, container, destination } = input;
    const place = workplaceOf(deps, run.job);
    const { job, source, vault, control } = place;
    const mirrorPrefix = expand(job.destination.prefix, container);
    const guard = new RunGuard(control, run, deps.now);
    const tally = emptyTally(container, destination);
    const isSelected = blobFilter({ include: job.source.include, exclude: job.source.exclude });
    const part = new PartWriter<Outcome>();
    const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
    // Which account a failure came from; the page read ahead may fail long before anybody looks.
    const fromSource = new WeakSet<object>();
    let mirrorIsMissing = false;

    const listSource = sourceLister(source, container, job.source.prefix);
    const readSource = async (marker: string | undefined): Promise<ListingPage> => {
      try {
        return await listSource(marker);
      } catch (error) {
        fromSource.add(error as object);
        throw error;
      }
    };
    const readMirror = async (marker: string | undefined): Promise<ListingPage> => {
      try {
        return await vault.listBlobs(destination, {
          prefix: mirrorPrefix + job.source.prefix,
          metadata: true,
          copy: true,
          ...(marker !== undefined && { marker }),
        });
      } catch (error) {
        if (isStorageError(error, 'container-not-found')) {
          mirrorIsMissing = true;
          return { blobs: [] };
        }
        throw error;
      }
    };

    return countingRequests(tally.requests, async () => {
      try {
        const standing = await guard.standing();
        if (standing !== 'go') return { stopped: standing };
        const deadline = deps.now().getTime() + deps.limits.scanMs;
        const walk = new MergeWalk(readSource, readMirror, {
          from: input.from,
          mirrorName: (name) => mirrorPrefix + name,
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
            const decision = decide(blob, mirror, run.mode === 'full' ? 'full' : 'incremental', run.id);
            if (decision.action === 'unchanged') {
              const outcome = outcomeOf(blob, 'unchanged', { vaultEtag: mirror!.etag });
              countOutcome(tally, outcome);
              part.add(outcome);
            } else if (decision.action === 'skip' && !(mirror === undefined && walk.order.wasWrong)) {
              const outcome = outcomeOf(blob, 'skipped', { code: decision.code });
              countOutcome(tally, outcome);
              part.add(outcome);
            } else if (
              !source.canAddress(container, blob.name) ||
              !vault.canAddress(destination, mirrorPrefix + blob.name)
            ) {
              const outcome = outcomeOf(blob, 'skipped', { code: 'unsupported-name' });
              countOutcome(tally, outcome);
              part.add(outcome);
            } else {
              const planned = plannedCopy(blob, mirror, 'reason' in decision ? decision.reason : 'pending');
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
        if (chunks.length > 0 && mirrorIsMissing && !run.dryRun) await vault.createContainer(destination);
        const next = walk.position;
        const result: ScanSliceResult = { chunks, ...(next !== undefined && { next }) };
        if (next === undefined) tally.last = true;
        return await control.writePart(run, 'scan', sliceKey(input.slice), part, tally, result);
      } catch (error) {
        if (!isStorageError(error)) throw error;
        const side: Side = fromSource.has(error) ? 'source' : 'destination';
        return { problem: problemOf(problemCodeOf(error, side), 0, container, error.message) };
      }
    });
  };
}

/** Reads source pages with index tags, and without them where the app may not read tags. */
export function sourceLister(source: BlobAccount, container: string, prefix: string) {
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

/** Keeps of the mirror what copying needs to know, and no more: plans are stored. */
function plannedCopy(source: BlobState, mirror: BlobState | undefined, reason: PlannedCopy['reason']): PlannedCopy {
  if (!mirror) return { source, reason };
  const { name, etag, lastModified, size, type, tier, metadata, copy, contentMd5 } = mirror;
  return {
    source,
    reason,
    mirror: {
      name,
      etag,
      lastModified,
      size,
      type,
      ...(tier !== undefined && { tier }),
      ...(metadata !== undefined && { metadata }),
      ...(copy !== undefined && { copy }),
      ...(contentMd5 !== undefined && { contentMd5 }),
    },
  };
}
