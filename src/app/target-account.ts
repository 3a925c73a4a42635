import type { TargetAccount } from '#domain/restore/protected-target.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { isSameService } from '#domain/service-identity.ts';
import type { Dependencies } from './dependencies.ts';
import { runsAs } from './job-context.ts';

/** Whether two aliases are of one account, however their addresses are written. */
export function isSameAccount({ blobs }: Pick<Dependencies, 'blobs'>, one: string, other: string): boolean {
  return isSameService(blobs(one).endpoint, blobs(other).endpoint);
}

/** What the configuration, and the restore points that are held in an account, say of it as the target of a restore. */
export function targetAccount(
  deps: Dependencies,
  account: string,
  held: readonly Pick<RunSummary, 'parts'>[],
): TargetAccount {
  const own = runsAs(deps).filter(({ destination }) => isSameAccount(deps, destination.account, account));
  const parts = held.flatMap((point) => point.parts);
  return {
    destinations: own.map(({ source, destination }) => ({
      containers: source.containers,
      template: destination.container,
    })),
    holding: new Set(
      parts.flatMap(({ container, destination }) => (tableOfTask(container) === undefined ? [destination] : [])),
    ),
    hasCatalog: () =>
      own.length > 0 || runsAs(deps).some(({ destination }) => sharesTables(deps, destination.account, account)),
  };
}

/** An alias may name the tables of another account than its blobs. */
function sharesTables({ tables }: Pick<Dependencies, 'tables'>, one: string, other: string): boolean {
  const [here, there] = [tables(one).endpoint, tables(other).endpoint];
  return here !== '' && there !== '' && isSameService(here, there);
}
