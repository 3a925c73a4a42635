import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { partPath, pendingKey } from '#domain/run/control-paths.ts';
import { isPending, type Outcome, type PendingCopy } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import { targetName } from '../copying/route.ts';
import type { ChunkResult, PendingFile } from '../run/chunk.ts';
import type { ContainerTask } from '../run/container-task.ts';
import { routeOf } from './executor.ts';

export interface AbortCopiesInput extends ContainerTask {
  pendingFiles: PendingFile[];
}

/** Aborts every copy that the pending files list, by its id. A snapshot holds the content from before. */
export async function abortCopies(deps: Dependencies, input: AbortCopiesInput): Promise<{ aborted: number }> {
  const { run, container } = input;
  const context = jobContextOf(deps, run.job);
  const { control } = context;
  const route = routeOf(deps, context, input);
  let aborted = 0;
  for (const pendingFile of input.pendingFiles) {
    const path = partPath(run, 'pending', container, pendingKey(pendingFile));
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
    // A copy that cannot be aborted continues: the next run adopts it or ends it.
    aborted += results.filter(({ status }) => status === 'fulfilled').length;
  }
  return { aborted };
}
