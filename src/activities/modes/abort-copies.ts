import type { Dependencies } from '#app/dependencies.ts';
import { workplaceOf } from '#app/job-context.ts';
import { partPath, workKey } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import { routeOf, targetName } from '../copying/route.ts';
import type { CopyChunkResult, WorkFile } from '../run/chunk.ts';
import type { Share } from '../run/container-task.ts';

export interface AbortCopiesInput extends Share {
  work: WorkFile[];
}

/** Aborts every copy that the work files name as pending, by its id. The content from before is in a snapshot. */
export function makeAbortCopies(deps: Dependencies) {
  return async function abortCopies(input: AbortCopiesInput): Promise<{ aborted: number }> {
    const { run, container } = input;
    const { control } = workplaceOf(deps, run.job);
    const route = routeOf(deps, input);
    let aborted = 0;
    for (const work of input.work) {
      const path = partPath(run, 'pending', container, workKey(work));
      const part = await control.readPart<Outcome | PendingCopy, CopyChunkResult>(path).catch((error) => {
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
