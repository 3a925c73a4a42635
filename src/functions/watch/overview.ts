import type { DurableClient } from 'durable-functions';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { SEVERITIES, type Severity } from '#domain/watch/conditions.ts';
import { answering, reply } from '../http/answering.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { vaultsOf } from '../run/find-run.ts';
import { newestPoints } from './newest-points.ts';
import { overviewOfVault, type VaultOverview } from './overview-of-vault.ts';
import { pastBackups, pastPrunesAndRestores } from './past-runs.ts';
import { ScheduleTimes } from './schedule-times.ts';

/** An overview costs more than a list, and changes less often: it is shared for longer. */
const SHARED_TIMES = 5;

type Answer = Reply<typeof OPERATIONS.overview>;

/** GET /api/overview — how every job and archive rule stands, from what the watch reads and remembers. */
export function overviewHandler(deps: Dependencies) {
  const shared = new SharedAnswers<Answer>(deps, SHARED_TIMES * deps.limits.sharedMs);
  const memory = {
    pointOf: newestPoints(deps),
    backupsOf: pastBackups(deps),
    othersOf: pastPrunesAndRestores(deps),
    times: new ScheduleTimes(),
  };
  const ask = async (client: DurableClient): Promise<Answer> => {
    const vaults = vaultsOf(deps).map((vault) => overviewOfVault(deps, client, vault, memory));
    return answerOf(deps, await Promise.all(vaults));
  };
  return answering(deps, OPERATIONS.overview, (_, client) => shared.get([], () => ask(client)));
}

function answerOf({ configuration }: Dependencies, vaults: readonly VaultOverview[]): Answer {
  const inFileOrder = <Each extends { name: string }>(named: readonly { name: string }[], found: Each[]): Each[] =>
    named.flatMap(({ name }) => found.filter((each) => each.name === name));
  const jobs = inFileOrder(
    configuration.jobs,
    vaults.flatMap((vault) => vault.jobs),
  );
  const archives = inFileOrder(
    configuration.archives,
    vaults.flatMap((vault) => vault.archives),
  );
  const conditions = vaults.flatMap((vault) => vault.conditions);
  conditions.sort(
    (a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity) || (a.since < b.since ? -1 : 1),
  );
  const count = (of: Severity) => conditions.filter(({ severity }) => severity === of).length;
  const sum = (of: 'blobs' | 'entities' | 'bytes') =>
    jobs.reduce((total, { restorePoint }) => total + (restorePoint?.[of] ?? 0), 0);
  return reply(200, {
    instance: configuration.instance ?? null,
    totals: {
      jobs: jobs.length,
      archives: archives.length,
      running: [...jobs, ...archives].reduce((total, { running }) => total + running.length, 0),
      conditions: {
        info: count('info'),
        warning: count('warning'),
        error: count('error'),
        critical: count('critical'),
      },
      held: { blobs: sum('blobs'), entities: sum('entities'), bytes: sum('bytes') },
    },
    conditions,
    jobs,
    archives,
    vaults: vaults.map(({ alias, held }) => ({ alias, held })),
  });
}
