import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { sliceKey } from '#domain/run/control-paths.ts';
import { asBackedUp, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RunMode } from '#domain/run/run.ts';
import { countOutcome, countPlanned, emptyTally } from '#domain/run/tally.ts';
import { countingRequests } from '#storage/requests.ts';
import { PlanWriter } from '../run/plan-writer.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';

/**
 * Plans what a retry copies: the blobs that an earlier run names as failed in this container, and nothing else.
 * They are copied as they were listed then; one that has changed since is looked at again when it is copied.
 */
export function makePlanRetry(deps: Dependencies) {
  return async function planRetry(input: SliceInput): Promise<SliceResult> {
    const { run, container, destination } = input;
    const { job, control } = jobContextOf(deps, run.job);
    const tally = emptyTally(container, destination);
    return countingRequests(tally.requests, async () => {
      const standing = await new RunGuard(control, run, deps.now).standing();
      if (standing !== 'go') return { stopped: standing };
      const earlier = await control.readSummary({ job: job.name, id: run.retryOf! });
      if (!earlier) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
      const settled = new PartWriter<Outcome>();
      const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
      // Parts that the earlier run took over from one before it have had their retry already: only its own count.
      const own = earlier.parts.filter(
        (part) => part.container === container && part.failed > 0 && part.path.includes(`/runs/${run.retryOf}/`),
      );
      for (const part of own) {
        const { items } = await control.readPart<Outcome, object>(part.path, part.sha256);
        for (const outcome of items) {
          const planned = plannedAgain(outcome, run.mode);
          if (!planned) {
            // No blob that could be tried again, and not mended by that: a retry must not look as if it were.
            if (run.mode !== 'restore' || outcome.status !== 'failed') continue;
            tally.listed++;
            tally.listedBytes += outcome.size;
            countOutcome(tally, outcome);
            settled.add(outcome);
            continue;
          }
          countPlanned(tally, planned);
          tally.listed++;
          tally.listedBytes += outcome.size;
          await plan.add(planned);
        }
      }
      tally.last = true;
      const result: SliceResult = { chunks: await plan.finish() };
      return control.writePart(run, 'slice', sliceKey(input.slice), settled, tally, result);
    });
  };
}

/** Of a failure, what it takes to try again: a restore looks for the content anew. */
function plannedAgain(outcome: Outcome, mode: RunMode): PlannedItem | undefined {
  const { status, source, code, name, size, type = 'block', ...rest } = outcome;
  if (status !== 'failed') return undefined;
  if (mode !== 'restore') return source && { from: source, reason: 'pending' };
  // What stands for a damaged part is no blob.
  if (code === 'damaged' || code === 'unsupported-name') return undefined;
  const unknown: BlobState = { name, etag: '', lastModified: rest.modified, size, type };
  const entry: Outcome = { ...asBackedUp(outcome), status: 'copied' };
  return { from: unknown, reason: 'restore', entry, ...(source && { to: source }) };
}
