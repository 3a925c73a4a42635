import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { partPath, pendingKey } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import { routeOf, targetName } from '../copying/route.ts';
import type { ChunkResult, PendingFile } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';

export interface AbortCopiesInput extends ContainerTask {
  pendingFiles: PendingFile[];
}

/** Aborts every copy that the work files name as pending, by its id. The content from before is in a snapshot. */
export function makeAbortCopies(deps: Dependencies) {
  return async function abortCopies(input: AbortCopiesInput): Promise<{ aborted: number }> {
    const { run, container } = input;
    const { control } = jobContextOf(deps, run.job);
    const route = routeOf(deps, input);
    let aborted = 0;
    for (const work of input.pendingFiles) {
      const path = partPath(run, 'pending', container, pendingKey(work));
      const part = await control.readPart<Outcome | PendingCopy, ChunkResult>(path).catch((error) => {
        if (isStorageError(error)) return undefined;
        throw error;
      });
      const results = await Promise.allSettled(
        (part?.items ?? [])
          .filter(isPending)
          .filter(({ copyId }) => copyId !== '')
          .map(({ planned, copyId }) =>
            deps.copySlots(() => abortQuietly(route.target, route.destination, targetName(route, planned), copyId)),
          ),
      );
      // One that could not be aborted goes on by itself; the next run adopts it or ends it.
      aborted += results.filter(({ status }) => status === 'fulfilled').length;
    }
    return { aborted };
  };
}
