import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { answering, reply } from '../http/answering.ts';
import { configuredJob } from '../run/configured-job.ts';

/** GET /api/jobs/{job}/chain — the head of the chain: kept elsewhere, it proves everything before it. */
export function showChainHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.showChain, async ({ params }) => {
    const { name: job, destination } = configuredJob(deps, params.job);
    const store = new ChainStore(deps.blobs(destination.account));
    const records = await store.listRecords(job);
    const last = records.at(-1);
    const head = last && (await store.linkOf(job, last));
    return reply(200, { job, records: records.length, head: head ?? null });
  });
}
