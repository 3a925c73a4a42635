import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import type { Sample } from '#domain/metrics/metric.ts';
import { type JobMeasures, samplesOf } from '#domain/metrics/samples.ts';
import type { Condition } from '#domain/watch/conditions.ts';
import { vaultsOf } from '../run/find-run.ts';
import { askSources } from './ask-sources.ts';
import { isConfigured } from './configured-condition.ts';
import { measuresOfVault } from './measures-of-vault.ts';
import type { HeldAt } from './past-runs.ts';
import { watchedIn } from './read-vault.ts';

declare const STRONGROOM_VERSION: string;

/** Reads all metrics from the vaults. Writes nothing. */
export function samplesNow(deps: Dependencies): (client: DurableClient) => Promise<Sample[]> {
  const measure = measuresOfVault(deps);
  return async (client) => {
    const vaults = vaultsOf(deps);
    const [sources, ...found] = await Promise.all([askSources(deps), ...vaults.map((vault) => measure(client, vault))]);
    const accounts = new Map([...sources].map(([alias, problem]) => [alias, problem === undefined]));
    const jobs = new Map<string, JobMeasures | undefined>();
    const conditions: Condition[] = [];
    const held = new Map<string, HeldAt>();
    for (const [index, vault] of vaults.entries()) {
      const measures = found[index];
      accounts.set(vault, measures !== undefined);
      if (measures?.held) held.set(vault, measures.held);
      for (const { job } of watchedIn(deps, vault)) jobs.set(job.name, measures?.jobs.get(job.name));
      conditions.push(...(measures?.conditions ?? []));
    }
    // The first vault keeps what concerns no vault.
    conditions.push(...(found[0]?.noted ?? []).filter((each) => !each.job && isConfigured(deps, each)));
    return samplesOf({ version: STRONGROOM_VERSION, accounts, conditions, held, jobs }, deps.now());
  };
}
