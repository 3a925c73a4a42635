import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { partPath, sliceKey } from '#domain/run/control-paths.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { CarryOutRef } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { countingRequests } from '#storage/requests.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';

/** Takes over, slice by slice, what the plan that this prune carries out is to delete from a container. */
export async function takePlan(deps: Dependencies, input: SliceInput<CarryOutRef>): Promise<SliceResult> {
  const { run, container, destination, slice } = input;
  const { control } = jobContextOf(deps, run.job);
  const tally = emptyTally(container, destination);
  return countingRequests(tally.requests, async () => {
    const standing = await new RunGuard(control, run, deps.now).standing();
    if (standing !== 'go') return { stopped: standing };
    const made = { job: run.job, id: run.prune.plan.run };
    const { end } = await control.readPart<Outcome, SliceResult>(partPath(made, 'slice', container, sliceKey(slice)));
    const { chunks = [], next } = end;
    tally.planned = chunks.reduce((sum, { items }) => sum + items, 0);
    tally.listed = tally.planned;
    if (next === undefined) tally.last = true;
    const result: SliceResult = { chunks, ...(next && { nextManifest: { page: slice + 1 } }) };
    return control.writePart(run, 'slice', sliceKey(slice), new PartWriter<Outcome>(), tally, result);
  });
}
