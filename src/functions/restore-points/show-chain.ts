import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { answering, reply } from '../http/answering.ts';
import { configuredJob, namedJob } from '../run/configured-job.ts';
import { vaultsOf } from '../run/find-run.ts';

/** GET /api/jobs/{job}/chain — the head of the chain: kept elsewhere, it proves everything before it. */
export function showChainHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.showChain, async ({ params }) => {
    const job = namedJob(deps, params.job);
    for (const vault of vaultsOf(deps, job)) {
      const store = new ChainStore(deps.blobs(vault));
      const records = await store.listRecords(job);
      const last = records.at(-1);
      const head = last && (await store.linkOf(job, last));
      if (head) return reply(200, { job, records: records.length, head });
    }
    configuredJob(deps, job);
    return reply(200, { job, records: 0, head: null });
  });
}
