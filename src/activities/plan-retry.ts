import { sliceKey } from '../domain/control-paths.ts';
import type { Outcome } from '../domain/outcome.ts';
import { PartWriter } from '../domain/part.ts';
import { countPlanned, emptyTally } from '../domain/tally.ts';
import { countingRequests } from '../storage/requests.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';
import { PlanWriter } from './plan-writer.ts';
import { RunGuard } from './run-guard.ts';
import type { ScanSliceInput, ScanSliceResult } from './scan-slice.ts';

/**
 * Plans what a retry copies: the blobs that an earlier run names as failed in this container, and nothing else.
 * They are copied as they were listed then; one that has changed since is looked at again when it is copied.
 */
export function makePlanRetry(deps: Dependencies) {
  return async function planRetry(input: ScanSliceInput): Promise<ScanSliceResult> {
    const { run, container, destination } = input;
    const { job, control } = workplaceOf(deps, run.job);
    const tally = emptyTally(container, destination);
    return countingRequests(tally.requests, async () => {
      const standing = await new RunGuard(control, run, deps.now).standing();
      if (standing !== 'go') return { stopped: standing };
      const earlier = await control.readSummary({ job: job.name, id: run.retryOf! });
      if (!earlier) throw new Error(`The run to retry, ${run.retryOf}, has no summary`);
      const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
      // Parts that the earlier run took over from one before it have had their retry already: only its own count.
      const own = earlier.parts.filter(
        (part) => part.container === container && part.failed > 0 && part.path.includes(`/runs/${run.retryOf}/`),
      );
      for (const part of own) {
        const { items } = await control.readPart<Outcome, object>(part.path, part.sha256);
        for (const { status, source } of items) {
          if (status !== 'failed' || source === undefined) continue;
          const planned = { source, reason: 'pending' as const };
          countPlanned(tally, planned);
          tally.listed++;
          tally.listedBytes += source.size;
          await plan.add(planned);
        }
      }
      tally.last = true;
      const result: ScanSliceResult = { chunks: await plan.finish() };
      const part = new PartWriter<Outcome>();
      return control.writePart(run, 'scan', sliceKey(input.slice), part, tally, result);
    });
  };
}
