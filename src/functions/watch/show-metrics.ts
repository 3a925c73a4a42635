import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { expositionOf } from '#domain/metrics/exposition.ts';
import { answering, reply } from '../http/answering.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { samplesNow } from './samples-now.ts';

/** As short as collectors usually wait between two scrapes. */
const SHARED_MS = 15_000;

/** GET /api/metrics — gauges from the vaults, the same whichever process answers. */
export function showMetricsHandler(deps: Dependencies) {
  const shared = new SharedAnswers<string>(deps, SHARED_MS);
  const samples = samplesNow(deps);
  return answering(deps, OPERATIONS.metrics, async (_, client) =>
    reply(200, await shared.get([], async () => expositionOf(await samples(client)))),
  );
}
