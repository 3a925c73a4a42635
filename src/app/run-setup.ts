import { createHash } from 'node:crypto';
import { isArchiving, isBackup, type UnlockedRun, type Without } from '#domain/run/run.ts';
import { changedSetup, type RunSetup, type SetupChange } from '#domain/run/run-setup.ts';
import { serviceIdentity } from '#domain/service-identity.ts';
import type { Dependencies } from './dependencies.ts';
import { jobContextOf } from './job-context.ts';

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
      selection: createHash('sha256')
        .update(JSON.stringify([selection, destination]))
        .digest('base64url')
        .slice(0, 16),
    }),
    ...(run.mode === 'restore' && {
      target: accountOf(deps, run.restore.account, run.restore.tables.length > 0),
    }),
  };
}

/** Why a run in progress cannot go on with the configuration as it is now. A run of an earlier build does not tell. */
export function setupChange(deps: Dependencies, run: Asked): SetupChange | undefined {
  return run.setup && changedSetup(run.setup, runSetup(deps, run));
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
