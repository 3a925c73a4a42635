import pLimit from 'p-limit';
import type { Dependencies } from '#app/dependencies.ts';
import { workplaceOf } from '#app/job-context.ts';
import { copyKey, partPath } from '#domain/run/control-paths.ts';
import { isPending, type PlannedCopy } from '#domain/run/outcome.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { countingRequests } from '#storage/requests.ts';
import type { CopyChunkInput, CopyChunkResult } from '../run/chunk.ts';
import { workOff } from '../run/process-items.ts';
import { pointOf } from '../run/restore-point-summary.ts';
import { RunGuard } from '../run/run-guard.ts';
import { writePiece } from '../run/write-piece.ts';
import { drillBlob, drillPlace, endDrill } from './drill.ts';
import { type ReadPlace, readBlob } from './read-blob.ts';

/** Blobs of one piece, and of the whole process, that are read at once: the hashing is one thread's work. */
const READ_AT_ONCE = 4;

/**
 * Works off one plan chunk of a verification, within a time budget, and writes the outcomes as a part: reads each blob and
 * compares it with what was backed up; in a drill, restores it as well. Safe to run twice, as `copyChunk` is.
 */
export function makeReadChunk(deps: Dependencies) {
  const slots = pLimit(READ_AT_ONCE);
  return async function readChunk(input: CopyChunkInput): Promise<CopyChunkResult> {
    const { run, container, destination, chunk, mirror } = input;
    if (mirror === undefined) throw new Error(`A verification of ${container} was not told where its mirror lies`);
    const { control, source, vault } = workplaceOf(deps, run.job);
    const key = copyKey(chunk.slice, chunk.chunk, input.from);
    const tally = emptyTally(container, destination);
    const guard = new RunGuard(control, run, deps.now);

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const plan = await control.readPart<PlannedCopy, object>(partPath(run, 'plan', container, chunk.key));
      const items = plan.items.slice(input.from);
      const point = await pointOf(control, run.job, run.verify!.point);
      const stop = new AbortController();
      const read: ReadPlace = {
        vault: { account: vault, ...mirror },
        ...(point.source === source.endpoint && { source: { account: source, container } }),
        signal: stop.signal,
      };
      const drill = run.verify!.kind === 'drill' ? await drillPlace(deps, input, read) : undefined;
      const { results, begun, stopped } = await workOff({
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
