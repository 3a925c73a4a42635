import type { Dependencies } from '#app/dependencies.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { asBackedUp, type Held, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import type { RetryingRef, RunMode } from '#domain/run/run.ts';
import { inRun } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';

/**
 * Plans what a retry copies: the blobs of this container that the earlier run reports as failed, and nothing else. A
 * blob is copied as it was listed then; the copy checks a blob that has changed since.
 */
export function planRetry(deps: Dependencies, input: SliceInput<RetryingRef>): Promise<SliceResult> {
  return inRun(deps, input, async (context): Promise<SliceResult> => {
    const { run, container, control } = context;
    const earlier = await control.readRecordedSummary({ job: run.job, id: run.retryOf });
    if (!earlier) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
    const slice = new SliceWriter(context, input.slice);
    // Only the earlier run's own parts count: those it took over from a run before it have had their retry.
    const own = earlier.parts.filter(
      (part) => part.container === container && part.failed > 0 && part.path.includes(`/runs/${run.retryOf}/`),
    );
    for (const part of own) {
      const { items } = await control.readPart<Outcome, object>(part.path, part.sha256);
      for (const outcome of items) {
        const planned = plannedAgain(outcome, run.mode);
        if (planned) {
          slice.list(outcome.size);
          await slice.plan(planned);
        } else if (run.mode === 'restore' && outcome.status === 'failed') {
          // There is no blob to try again: the retry repairs nothing here, and must not look as if it did.
          slice.list(outcome.size);
          slice.settle(outcome);
        }
      }
    }
    return slice.finish();
  });
}

/** The item that tries a failure again. A restore finds the content again. */
function plannedAgain(outcome: Outcome, mode: RunMode): PlannedItem | undefined {
  if (outcome.status !== 'failed') return undefined;
  const { source, code, name, size, modified, type = 'block' } = outcome;
  if (mode !== 'restore') return source && { from: source, reason: 'pending' };
  // The outcome of a damaged part names no blob, and what the restore point does not hold has no content.
  if (code === 'damaged' || code === 'unsupported-name' || code === 'container-not-held') return undefined;
  const unknown: BlobState = { name, etag: '', lastModified: modified, size, type };
  const entry: Held = { ...asBackedUp(outcome), status: 'copied' };
  return { from: unknown, reason: 'restore', entry, ...(source && { to: source }) };
}
