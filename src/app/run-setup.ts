import { createHash } from 'node:crypto';
import type { Job } from '#config/configuration.ts';
import { isArchiving, isBackup, type UnlockedRun, type Without } from '#domain/run/run.ts';
import { changedSetup, type RunSetup, removedJob, type SetupChange } from '#domain/run/run-setup.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import { serviceIdentity } from '#domain/service-identity.ts';
import type { Dependencies } from './dependencies.ts';
import { jobContextOf, runsAs } from './job-context.ts';

type Asked = Without<UnlockedRun, 'id' | 'startedAt'>;

/** What a run works with by the configuration as it is now. Throws if that no longer has its job. */
export function runSetup(deps: Dependencies, run: Asked): RunSetup {
  const { job, vault } = jobContextOf(deps, run.job);
  const { account, ...selection } = job.source;
  const { account: _, ...destination } = job.destination;
  return {
    vault: lastingIdentity(vault.endpoint),
    ...((isBackup(run.mode) || isArchiving(run.mode)) && {
      source: accountOf(deps, account, selection.tables.length > 0),
      selection: hashOf([selection, destination]),
    }),
    ...(run.mode === 'prune' && { policy: hashOf(policyOf(job)) }),
    ...(run.mode === 'restore' && {
      target: targetOf(deps, run.restore),
    }),
  };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
}

/** What decides which restore points a prune removes; not when it runs, or whom it tells. */
function policyOf({ retention, timeZone }: Job): unknown {
  const { schedule: _, ping: __, ...policy } = { schedule: undefined, ping: undefined, ...retention };
  return [timeZone, policy];
}

/** Why a run in progress cannot go on with the configuration as it is now. A run of an earlier build does not tell. */
export function setupChange(deps: Dependencies, run: Asked): SetupChange | undefined {
  if (!run.setup) return undefined;
  const hasJob = runsAs(deps).some(({ name }) => name === run.job);
  return hasJob ? changedSetup(run.setup, runSetup(deps, run)) : removedJob(run.job);
}

/** The alias of the vault that a run began with, or undefined if no account of the configuration is it. */
export function vaultOfSetup({ blobs, configuration }: Dependencies, { vault }: RunSetup): string | undefined {
  return [...configuration.accounts.keys()].find((alias) => lastingIdentity(blobs(alias).endpoint) === vault);
}

/** What stands for an account that no job and no list of accounts names any more. */
const UNNAMED = 'not in strongroom.json';

/** An alias that was there when the restore began may be gone. */
function targetOf(deps: Dependencies, { account, tables }: RestoreTask): string {
  return deps.configuration.accounts.has(account) ? accountOf(deps, account, tables.length > 0) : UNNAMED;
}

/** The service of blobs, and that of tables, which an alias may name on its own. */
function accountOf({ blobs, tables }: Dependencies, alias: string, hasTables: boolean): string {
  const services = [blobs(alias).endpoint, hasTables ? tables(alias).endpoint : ''];
  return services
    .filter((address) => address !== '')
    .map(lastingIdentity)
    .join(' with ');
}

/** The embedded emulator may have other ports after each start. */
function lastingIdentity(address: string): string {
  return serviceIdentity(address).replace(/^127\.0\.0\.1:\d+/, '127.0.0.1');
}
