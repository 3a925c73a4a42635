import { copyKey, partPath, workKey } from '../domain/control-paths.ts';
import type { Standing } from '../domain/lock.ts';
import { isPending, type Outcome, type PendingCopy, type PlannedCopy } from '../domain/outcome.ts';
import { PartWriter } from '../domain/part.ts';
import { isArchiving, type RunRef } from '../domain/run.ts';
import { emptyTally, type Tally } from '../domain/tally.ts';
import type { ControlStore } from '../storage/control-store.ts';
import { countingRequests, type RequestCounts } from '../storage/requests.ts';
import { archivePlaceOf } from './archive-place.ts';
import { archivePlanned } from './archive-upload.ts';
import { abortQuietly, copyBlob } from './copy-blob.ts';
import { type CopyPlace, copyPlace, type Share, targetName } from './copy-place.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';
import type { PlanChunk } from './plan-writer.ts';
import { restoreBlob } from './restore-blob.ts';
import { RunGuard } from './run-guard.ts';
import { workOff } from './work-off.ts';

export interface CopyChunkInput extends Share {
  chunk: PlanChunk;
  /** Index of the first item to work on. */
  from: number;
}

/** Copies of a piece that were pending when its part was written, with the outcomes of those that ended since. */
export interface WorkFile {
  /** Key of the piece. */
  key: string;
  /** Tells executions of the piece apart: the one whose part was first counts. */
  attempt: string;
  round: number;
  pending: number;
  /** Requests of later rounds that changed nothing, and so have told of them nowhere yet. */
  requests?: RequestCounts;
}

export interface CopyChunkResult {
  /** Index of the first item not worked on; absent when the chunk is finished. */
  next?: number;
  work?: WorkFile;
  stopped?: Exclude<Standing, 'go'>;
}

/**
 * Works off one plan chunk with bounded concurrency, within a time budget, and writes the outcomes as a part of the
 * manifest. Copies that are pending then are named in a work file, for `confirmCopies`.
 */
export function makeCopyChunk(deps: Dependencies) {
  return async function copyChunk(input: CopyChunkInput): Promise<CopyChunkResult> {
    const { run, container, destination, chunk } = input;
    const { control } = workplaceOf(deps, run.job);
    const key = copyKey(chunk.slice, chunk.chunk, input.from);
    const tally = emptyTally(container, destination);
    const guard = new RunGuard(control, run, deps.now);

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const plan = await control.readPart<PlannedCopy, object>(partPath(run, 'plan', container, chunk.key));
      const items = plan.items.slice(input.from);
      const largest = items.reduce((most, { source: blob }) => Math.max(most, blob.size), 0);
      const stop = new AbortController();
      const place = await copyPlace(deps, input, largest, stop.signal);
      const archive = isArchiving(run.mode) ? archivePlaceOf(deps, run.job, place) : undefined;
      const { results, begun, stopped } = await workOff({
        items,
        one: (planned) =>
          archive
            ? archivePlanned(archive, planned)
            : run.mode === 'restore'
              ? restoreBlob(place, planned)
              : copyBlob(place, planned),
        guard,
        stop,
        slots: deps.copySlots,
        atOnce: deps.limits.copiesAtOnce,
        budget: deps.limits.copyMs,
        now: deps.now,
        tally,
        note: () => control.noteProgress(run, key, tally),
      });
      if (stopped !== undefined) {
        if (stopped === 'cancelled') await abortPending(deps, place, results);
        // What was done is told; what was not has no outcome.
        await writePiece(
          deps,
          run,
          key,
          results.filter((result) => !isPending(result)),
          tally,
          // Another execution of this piece may be about to end it as if nothing were left of it.
          { stopped },
        );
        return { stopped };
      }
      const next = begun < items.length ? { next: input.from + begun } : {};
      return writePiece(deps, run, key, results, tally, next);
    });
  };
}

/**
 * Stores what came of a piece, however far it got: its part of the manifest, which fixes the piece's extent for good,
 * since the first of several executions to write it wins. Copies that are still pending go into a work file before.
 */
export async function writePiece(
  deps: Dependencies,
  run: RunRef,
  key: string,
  results: (Outcome | PendingCopy)[],
  tally: Tally,
  end: Pick<CopyChunkResult, 'next' | 'stopped'>,
): Promise<CopyChunkResult> {
  const { control } = workplaceOf(deps, run.job);
  const pending = results.filter(isPending);
  const writer = new PartWriter<Outcome>();
  for (const result of results) if (!isPending(result)) writer.add(result);
  if (pending.length === 0) return control.writePart(run, 'copy', key, writer, tally, end);
  const { container, destination } = tally;
  const work: WorkFile = { key, attempt: deps.random(), round: 0, pending: pending.length };
  // It tells its own request itself.
  await countingRequests({}, () => writeWork(control, run, work, pending, emptyTally(container, destination)));
  const later = { items: pending.length, attempt: work.attempt };
  const all = { ...tally, planned: tally.planned + pending.length, later };
  return control.writePart(run, 'copy', key, writer, all, { ...end, work });
}

export async function writeWork(
  control: ControlStore,
  run: RunRef,
  work: WorkFile,
  items: (Outcome | PendingCopy)[],
  tally: Tally,
): Promise<CopyChunkResult> {
  const writer = new PartWriter<Outcome | PendingCopy>();
  for (const item of items) writer.add(item);
  return control.writePart(run, 'pending', workKey(work), writer, tally, { work });
}

/** One that cannot be aborted goes on by itself; the next run adopts it or ends it. */
async function abortPending(deps: Dependencies, place: CopyPlace, results: (Outcome | PendingCopy)[]): Promise<void> {
  const abort = ({ planned, copyId }: PendingCopy) =>
    abortQuietly(place.target, place.destination, targetName(place, planned), copyId);
  const copies = results.filter(isPending).filter(({ copyId }) => copyId !== '');
  await Promise.allSettled(copies.map((copy) => deps.copySlots(() => abort(copy))));
}
