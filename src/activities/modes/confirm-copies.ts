import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { laterKey, partPath, pendingKey } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import { isArchiving } from '#domain/run/run.ts';
import { countOutcome, emptyTally } from '#domain/run/tally.ts';
import { countingRequests } from '#storage/requests.ts';
import { archiveContextOf } from '../archive/archive-context.ts';
import { confirmPlanned } from '../archive/archive-upload.ts';
import { confirmCopy } from '../copying/confirm-copy.ts';
import { copyContextOf } from '../copying/copy-context.ts';
import { confirmRestore } from '../restore/confirm-restore.ts';
import type { ChunkResult, PendingFile } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { RunGuard, watchStanding } from '../run/run-guard.ts';
import { writeWork } from '../run/write-piece.ts';

export interface ConfirmCopiesInput extends ContainerTask {
  pendingFile: PendingFile;
}

/**
 * Looks at the copies of a work file that were pending, brings each to an end where it can, and writes the next work
 * file, or the later part of the manifest once none is pending. Only a copy with the id that was started counts.
 */
export function makeConfirmCopies(deps: Dependencies) {
  return async function confirmCopies(input: ConfirmCopiesInput): Promise<ChunkResult> {
    const { run, container, destination, pendingFile: work } = input;
    const { control } = jobContextOf(deps, run.job);
    const tally = emptyTally(container, destination);
    Object.assign(tally.requests, work.requests);
    const guard = new RunGuard(control, run, deps.now);

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const { items } = await control.readPart<Outcome | PendingCopy, ChunkResult>(
        partPath(run, 'pending', container, pendingKey(work)),
      );
      const stop = new AbortController();
      const largest = items.reduce((most, item) => Math.max(most, isPending(item) ? item.planned.from.size : 0), 0);
      const place = await copyContextOf(deps, input, largest, stop.signal);
      const watch = watchStanding(guard, () => stop.abort());
      const archive = isArchiving(run.mode) ? archiveContextOf(deps, run.job, place) : undefined;
      const confirm = (copy: PendingCopy) =>
        archive
          ? confirmPlanned(archive, copy)
          : run.mode === 'restore'
            ? confirmRestore(place, copy)
            : confirmCopy(place, copy);
      const results = await Promise.all(
        items.map((item) => (isPending(item) ? deps.copySlots(() => confirm(item)) : item)),
      ).finally(() => watch.end());
      for (const result of results) {
        if (isPending(result)) continue;
        countOutcome(tally, result);
        tally.planned++;
      }
      const { key, attempt, round } = work;
      const pending = results.filter(isPending).length;
      // Copies of days are looked at thousands of times: what has not changed is not written again.
      if (results.every((result, index) => result === items[index])) {
        return { pendingFile: { key, attempt, round, pending, requests: tally.requests } };
      }
      if (pending > 0) return writeWork(control, run, { key, attempt, round: round + 1, pending }, results, tally);
      const writer = new PartWriter<Outcome | PendingCopy>();
      for (const result of results) writer.add(result);
      return control.writePart(run, 'chunk', laterKey(work.key), writer, tally, {});
    });
  };
}
