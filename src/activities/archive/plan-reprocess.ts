import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { PoisonLine } from '#domain/archive/poison.ts';
import { sliceKey } from '#domain/run/control-paths.ts';
import type { Outcome, PlannedItem } from '#domain/run/outcome.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { ReprocessRef } from '#domain/run/run.ts';
import { countPlanned, emptyTally } from '#domain/run/tally.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { PlanWriter } from '../run/old-plan-writer.ts';
import { RunGuard } from '../run/run-guard.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';

/** Plans to try the poisoned uploads of a rule again: the one that is wanted, or all. Each is looked at anew when its turn comes. */
export async function planReprocess(deps: Dependencies, input: SliceInput<ReprocessRef>): Promise<SliceResult> {
  const { run, container, destination } = input;
  const { control } = jobContextOf(deps, run.job);
  const tally = emptyTally(container, destination);
  return countingRequests(tally.requests, async () => {
    const standing = await new RunGuard(control, run, deps.now).standing();
    if (standing !== 'go') return { stopped: standing };
    const plan = new PlanWriter(control, run, input.slice, container, deps.limits, deps.random);
    const names = new Set<string>();
    for await (const { name } of poisoned(new PoisonStore(control, run.job), run.reprocess.id)) {
      // Several versions may have been given up: what is there now is archived once.
      if (names.has(name)) continue;
      names.add(name);
      const source = { name, etag: '', lastModified: run.startedAt, size: 0, type: 'block' } as const;
      const planned: PlannedItem = { from: source, reason: 'pending' };
      countPlanned(tally, planned);
      tally.listed++;
      await plan.add(planned);
    }
    tally.last = true;
    const result: SliceResult = { chunks: await plan.finish() };
    return control.writePart(run, 'slice', sliceKey(input.slice), new PartWriter<Outcome>(), tally, result);
  });
}

async function* poisoned(store: PoisonStore, id: string | undefined): AsyncGenerator<Pick<PoisonLine, 'name'>> {
  if (id !== undefined) {
    const entry = await store.read(id);
    if (entry?.state === 'open') yield entry;
    return;
  }
  yield* store.listAll('open');
}
