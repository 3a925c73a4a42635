import type { Dependencies } from '#app/dependencies.ts';
import { isPending, type Outcome, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import { type Route, targetName } from '../copying/route.ts';
import { type ChunkInput, type ChunkResult, pieceKey } from '../run/chunk.ts';
import { processPlannedItems } from '../run/process-planned-items.ts';
import { inRun } from '../run/run-context.ts';
import { writePiece } from '../run/write-piece.ts';
import { executorOf } from './executor.ts';

/**
 * Processes one plan chunk with bounded concurrency, within a time budget, and writes the outcomes as a part of the
 * manifest. A pending file lists the copies that are pending then, for `confirmCopies`.
 */
export function copyChunk(deps: Dependencies, input: ChunkInput): Promise<ChunkResult> {
  return inRun(deps, input, async (context): Promise<ChunkResult> => {
    const key = pieceKey(input);
    const items = (await context.readPlan<PlannedItem>(input.chunk.key)).slice(input.from);
    const largest = items.reduce((most, { from: blob }) => Math.max(most, blob.size), 0);
    const stop = new AbortController();
    const { route, execute } = await executorOf(context, input, largest, stop.signal);
    const work = { key, items, execute, stop, slots: deps.copySlots, atOnce: deps.limits.copiesAtOnce };
    const { results, covered, stopped } = await processPlannedItems(context, work);
    if (stopped !== undefined) {
      if (stopped === 'cancelled') await abortPending(deps, route, results);
      const outcomes = results.filter((result) => !isPending(result));
      // The part ends as stopped: another execution of this piece may be about to end it as if nothing were left.
      await writePiece(context, key, outcomes, { stopped });
      return { stopped };
    }
    return writePiece(context, key, results, covered < items.length ? { next: input.from + covered } : {});
  });
}

/** A copy that cannot be aborted continues: the next run adopts it or ends it. */
async function abortPending(deps: Dependencies, route: Route, results: (Outcome | PendingCopy)[]): Promise<void> {
  const abort = ({ planned, copyId }: PendingCopy) =>
    abortQuietly(route.target, route.destination, targetName(route, planned), copyId);
  const copies = results.filter(isPending).filter(({ copyId }) => copyId !== '');
  await Promise.allSettled(copies.map((copy) => deps.copySlots(() => abort(copy))));
}
