import type { Dependencies } from '#app/dependencies.ts';
import { partPath, sliceKey } from '#domain/run/control-paths.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { CarryOutRef } from '#domain/run/run.ts';
import { inRun } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';

/** Takes over, slice by slice, what the plan that this prune carries out is to delete from a container or table. */
export function takePlan(deps: Dependencies, input: SliceInput<CarryOutRef>): Promise<SliceResult> {
  return inRun(deps, input, async (context): Promise<SliceResult> => {
    const { run, control, container, tally } = context;
    const { slice } = input;
    const path = partPath({ job: run.job, id: run.prune.plan.run }, 'slice', container, sliceKey(slice));
    const { chunks = [], next } = (await control.readPart<Outcome, SliceResult>(path)).end;
    tally.planned = chunks.reduce((sum, { items }) => sum + items, 0);
    tally.listed = tally.planned;
    if (next === undefined) tally.last = true;
    const result: SliceResult = { chunks, ...(next && { nextManifest: { page: slice + 1 } }) };
    return context.writePart('slice', sliceKey(slice), new PartWriter<Outcome>(), result);
  });
}
