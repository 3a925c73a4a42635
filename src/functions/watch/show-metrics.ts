import type { DurableClient } from 'durable-functions';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { expositionOf } from '#domain/metrics/exposition.ts';
import { type JobMeasures, samplesOf } from '#domain/metrics/samples.ts';
import type { Condition } from '#domain/watch/conditions.ts';
import { answering, reply } from '../http/answering.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { vaultsOf } from '../run/find-run.ts';
import { askSources } from './ask-sources.ts';
import { measuresOfVault } from './measures-of-vault.ts';
import { watchedIn } from './read-vault.ts';
import { isConfigured } from './watch.ts';

declare const STRONGROOM_VERSION: string;

/** As short as collectors usually wait between two scrapes. */
const SHARED_MS = 15_000;

/** GET /api/metrics — gauges from the vaults, the same whichever process answers. Writes nothing. */
export function showMetricsHandler(deps: Dependencies) {
  const shared = new SharedAnswers<string>(deps, SHARED_MS);
  const measure = measuresOfVault(deps);
  const ask = async (client: DurableClient) => {
    const vaults = vaultsOf(deps);
    const [sources, ...found] = await Promise.all([askSources(deps), ...vaults.map((vault) => measure(client, vault))]);
    const accounts = new Map([...sources].map(([alias, problem]) => [alias, problem === undefined]));
    const jobs = new Map<string, JobMeasures | undefined>();
    const conditions: Condition[] = [];
    for (const [index, vault] of vaults.entries()) {
      const measures = found[index];
      accounts.set(vault, measures !== undefined);
      for (const { job } of watchedIn(deps, vault)) jobs.set(job.name, measures?.jobs.get(job.name));
      conditions.push(...(measures?.conditions ?? []));
    }
    // The first vault keeps what concerns no vault.
    conditions.push(...(found[0]?.noted ?? []).filter((each) => !each.job && isConfigured(deps, each)));
    return expositionOf(samplesOf({ version: STRONGROOM_VERSION, accounts, conditions, jobs }, deps.now()));
  };
  return answering(deps, OPERATIONS.metrics, async (_, client) => reply(200, await shared.get([], () => ask(client))));
}
