import type { Dependencies } from '#app/dependencies.ts';
import type { PoisonLine } from '#domain/archive/poison.ts';
import type { ReprocessRef } from '#domain/run/run.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { inRun } from '../run/run-context.ts';
import type { SliceInput, SliceResult } from '../run/slice.ts';
import { SliceWriter } from '../run/slice-writer.ts';

/**
 * Plans to archive the poisoned uploads of a rule: one of them, or all. The copy checks each source when it gets there.
 */
export function planReprocess(deps: Dependencies, input: SliceInput<ReprocessRef>): Promise<SliceResult> {
  return inRun(deps, input, async (context) => {
    const { run, control, tally } = context;
    const writer = new SliceWriter(context, input.slice);
    const names = new Set<string>();
    for await (const { name } of openPoison(new PoisonStore(control, run.job), run.reprocess.id)) {
      // Several versions of a blob may have failed permanently: the version that is there now is archived once.
      if (names.has(name)) continue;
      names.add(name);
      const from = { name, etag: '', lastModified: run.startedAt, size: 0, type: 'block' } as const;
      tally.listed++;
      await writer.plan({ from, reason: 'pending' });
    }
    return writer.finish();
  });
}

async function* openPoison(store: PoisonStore, id: string | undefined): AsyncGenerator<Pick<PoisonLine, 'name'>> {
  if (id !== undefined) {
    const entry = await store.read(id);
    if (entry?.state === 'open') yield entry;
    return;
  }
  yield* store.listAll('open');
}
