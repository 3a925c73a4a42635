import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { chunkKey, partPath } from '#domain/run/control-paths.ts';
import { isPending, type PlannedItem } from '#domain/run/outcome.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { countingRequests } from '#storage/requests.ts';
import type { ChunkInput, ChunkResult } from '../run/chunk.ts';
import { processItems } from '../run/process-items.ts';
import { pointOf } from '../run/restore-point-summary.ts';
import { RunGuard } from '../run/run-guard.ts';
import { writePiece } from '../run/write-piece.ts';
import { drillBlob, drillContextOf, endDrill } from './drill.ts';
import { type ReadContext, readBlob } from './read-blob.ts';

/** Blobs of one piece, and of the whole process, that are read at once: the hashing is one thread's work. */
const READ_AT_ONCE = 4;

/**
 * Works off one plan chunk of a verification, within a time budget, and writes the outcomes as a part: reads each blob and
 * compares it with what was backed up; in a drill, restores it as well. Safe to run twice, as `copyChunk` is.
 */
export function makeReadChunk(deps: Dependencies) {
  const slots = pLimit(READ_AT_ONCE);
  return async function readChunk(input: ChunkInput): Promise<ChunkResult> {
    const { run, container, destination, chunk, vaultLocation: mirror } = input;
    if (mirror === undefined) throw new Error(`A verification of ${container} was not told where its mirror lies`);
    const { control, source, vault } = jobContextOf(deps, run.job);
    const key = chunkKey(chunk.slice, chunk.chunk, input.from);
    const tally = emptyTally(container, destination);
    const guard = new RunGuard(control, run, deps.now);

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const plan = await control.readPart<PlannedItem, object>(partPath(run, 'plan', container, chunk.key));
      const items = plan.items.slice(input.from);
      const point = await pointOf(control, run.job, run.verify!.point);
      const stop = new AbortController();
      const read: ReadContext = {
        vault: { account: vault, ...mirror },
        ...(point.source === source.endpoint && { source: { account: source, container } }),
        signal: stop.signal,
      };
      const drill = run.verify!.kind === 'drill' ? await drillContextOf(deps, input, read) : undefined;
      const { results, begun, stopped } = await processItems({
        items,
        one: async (planned) => (drill ? drillBlob(drill, planned) : (await readBlob(read, planned)).outcome),
        guard,
        stop,
        slots,
        atOnce: READ_AT_ONCE,
        budget: deps.limits.copyMs,
        now: deps.now,
        tally,
        note: () => control.noteProgress(run, key, tally),
      });
      const outcomes = results.filter((result) => !isPending(result));
      const end = stopped !== undefined ? { stopped } : begun < items.length ? { next: input.from + begun } : {};
      const written = await writePiece(deps, run, key, outcomes, tally, end);
      if (drill) await endDrill(drill);
      return stopped === undefined ? written : { stopped };
    });
  };
}
