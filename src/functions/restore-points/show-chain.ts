import type { Dependencies } from '#app/dependencies.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { answering, json } from '../http/answering.ts';
import { configuredJob } from '../run/configured-job.ts';

/** GET /api/jobs/{job}/chain — the head of the chain: kept elsewhere, it proves everything before it. */
export function showChainHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    const { name: job, destination } = configuredJob(deps, request.params.job!);
    const store = new ChainStore(deps.blobs(destination.account));
    const records = await store.listRecords(job);
    const last = records.at(-1);
    const head = last && (await store.linkOf(job, last));
    return json(200, { job, records: records.length, head: head ?? null });
  });
}
