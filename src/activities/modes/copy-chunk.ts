import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { chunkKey, partPath } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import { isArchiving } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { countingRequests } from '#storage/requests.ts';
import { archiveContextOf } from '../archive/archive-context.ts';
import { archivePlanned } from '../archive/archive-upload.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import { copyBlob } from '../copying/copy-blob.ts';
import { type CopyContext, copyContextOf } from '../copying/copy-context.ts';
import { targetName } from '../copying/route.ts';
import { restoreBlob } from '../restore/restore-blob.ts';
import type { ChunkInput, ChunkResult } from '../run/chunk.ts';
import { processItems } from '../run/process-items.ts';
import { RunGuard } from '../run/run-guard.ts';
import { writePiece } from '../run/write-piece.ts';

/**
 * Works off one plan chunk with bounded concurrency, within a time budget, and writes the outcomes as a part of the
 * manifest. Copies that are pending then are named in a work file, for `confirmCopies`.
 */
export function makeCopyChunk(deps: Dependencies) {
  return async function copyChunk(input: ChunkInput): Promise<ChunkResult> {
    const { run, container, destination, chunk } = input;
    const { control } = jobContextOf(deps, run.job);
    const key = chunkKey(chunk.slice, chunk.chunk, input.from);
    const tally = emptyTally(container, destination);
    const guard = new RunGuard(control, run, deps.now);

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const plan = await control.readPart<PlannedItem, object>(partPath(run, 'plan', container, chunk.key));
      const items = plan.items.slice(input.from);
      const largest = items.reduce((most, { from: blob }) => Math.max(most, blob.size), 0);
      const stop = new AbortController();
      const place = await copyContextOf(deps, input, largest, stop.signal);
      const archive = isArchiving(run.mode) ? archiveContextOf(deps, run.job, place) : undefined;
      const { results, begun, stopped } = await processItems({
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

/** One that cannot be aborted goes on by itself; the next run adopts it or ends it. */
async function abortPending(deps: Dependencies, place: CopyContext, results: (Outcome | PendingCopy)[]): Promise<void> {
  const abort = ({ planned, copyId }: PendingCopy) =>
    abortQuietly(place.target, place.destination, targetName(place, planned), copyId);
  const copies = results.filter(isPending).filter(({ copyId }) => copyId !== '');
  await Promise.allSettled(copies.map((copy) => deps.copySlots(() => abort(copy))));
}
