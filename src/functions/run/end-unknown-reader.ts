import type { DurableClient } from 'durable-functions';
import { appendToChain } from '#app/append-to-chain.ts';
import { closeRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { unknownRun, vaultsOf } from './find-run.ts';

/**
 * Ends a restore or verification whose lock is damaged, so that prunes do not wait for it. Undefined if the lock can be
 * read, or if there is none.
 */
export async function endUnknownReader(
  deps: Dependencies,
  client: DurableClient,
  id: string,
): Promise<RunSummary | undefined> {
  const parsed = parseRunId(id);
  if (!parsed) return undefined;
  const run = unknownRun(parsed, id);
  for (const vault of vaultsOf(deps, run.job)) {
    const control = new ControlStore(deps.blobs(vault));
    const etag = await control.unknownReader(run);
    if (etag === undefined) continue;
    await client.terminate(id, 'Cancelled by force').catch(() => {});
    const summary = await closeRun(deps, { run, vault }, 'cancelled');
    // It may have published its result before.
    await appendToChain(deps, deps.blobs(vault), summary, { late: true });
    await control.endUnknownReader(run, etag, deps.now());
    return summary;
  }
  return undefined;
}
