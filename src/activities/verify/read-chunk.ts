import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { isPending, type PlannedItem } from '#domain/run/outcome.ts';
import type { VerifyRef } from '#domain/run/run.ts';
import { isSameService } from '#domain/service-identity.ts';
import { withProved } from '#domain/verify/proved-content.ts';
import { type ChunkInput, type ChunkResult, pieceKey } from '../run/chunk.ts';
import { processPlannedItems } from '../run/process-planned-items.ts';
import { restorePointSummary } from '../run/restore-point-summary.ts';
import { inRun } from '../run/run-context.ts';
import { writePiece } from '../run/write-piece.ts';
import { drillBlob, drillContextOf, endDrill } from './drill.ts';
import { type ReadContext, readBlob } from './read-blob.ts';
import { vaultLocationOf } from './vault-location.ts';

/** How many blobs a piece, and the whole process, reads at once: one thread does all the hashing. */
const READ_AT_ONCE = 4;

/**
 * Processes one plan chunk of a verification, within a time budget, and writes the outcomes as a part: reads each blob
 * and compares it with what was backed up; a drill also restores it. Safe to run twice, as `copyChunk` is.
 */
export function makeReadChunk() {
  const slots = pLimit(READ_AT_ONCE);
  return function readChunk(deps: Dependencies, input: ChunkInput<VerifyRef>): Promise<ChunkResult> {
    return inRun(deps, input, async (context): Promise<ChunkResult> => {
      const { run, container, control, source, vault } = context;
      const key = pieceKey(input);
      const items = (await context.readPlan<PlannedItem>(input.chunk.key)).slice(input.from);
      const point = await restorePointSummary(control, run.job, run.verify.point);
      const stop = new AbortController();
      const read: ReadContext = {
        vault: { account: vault, ...vaultLocationOf(input) },
        ...(isSameService(point.source, source.endpoint) && { source: { account: source, container } }),
        signal: stop.signal,
      };
      const largest = items.reduce((most, { from }) => Math.max(most, from.size), 0);
      const drill = run.verify.kind === 'drill' ? await drillContextOf(context, input, read, largest) : undefined;
      const execute = async (planned: PlannedItem) =>
        drill ? drillBlob(drill, planned) : withProved((await readBlob(read, planned)).outcome, planned.proved);
      const work = { key, items, execute, stop, slots, atOnce: READ_AT_ONCE };
      const { results, covered, stopped } = await processPlannedItems(context, work);
      const outcomes = results.filter((result) => !isPending(result));
      const end = stopped !== undefined ? { stopped } : covered < items.length ? { next: input.from + covered } : {};
      const written = await writePiece(context, key, outcomes, end);
      if (drill) await endDrill(drill);
      return stopped === undefined ? written : { stopped };
    });
  };
}
