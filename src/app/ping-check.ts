import type { Scheduled } from '#domain/run/occurrence.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { type CheckOption, endPing, type Ping, type PingStyle, settingOfCheck, startPing } from '#domain/watch/ping.ts';
import { kindKey, watchedKind } from '#domain/watch/state.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { Dependencies } from './dependencies.ts';
import { runsAs } from './job-context.ts';

/** The check of runs of one kind. */
export function pingOf(deps: Dependencies, job: string, what: Scheduled): CheckOption | undefined {
  const { jobs, archives } = deps.configuration;
  const configured = jobs.find(({ name }) => name === job);
  switch (what) {
    case 'backup':
      return configured?.ping;
    case 'verify':
      return configured?.verify?.ping;
    case 'prune':
      return configured?.retention?.ping;
    case 'reconcile':
      return archives.find(({ name }) => name === job)?.ping;
  }
}

/** Reports the start of a run to its check. Never throws: a check that misses it learns of the end. */
export async function pingStart(deps: Dependencies, run: RunRef): Promise<void> {
  const what = watchedKind(run);
  const check = what && pingOf(deps, run.job, what);
  if (check !== undefined) await sent(deps, check, startPing(run.id, styleOf(deps, check)));
}

/**
 * Reports the end of a run to its check, and notes that it did. What is not noted, the watch reports again. Never
 * throws.
 */
export async function pingEnd(deps: Dependencies, summary: RunSummary): Promise<void> {
  const { id, job } = summary;
  const what = watchedKind(summary);
  const check = what && pingOf(deps, job, what);
  if (what === undefined || check === undefined) return;
  if (!(await sent(deps, check, endPing(summary, styleOf(deps, check))))) return;
  const vault = runsAs(deps).find(({ name }) => name === job)!.destination.account;
  try {
    await new WatchStore(deps.blobs(vault)).notePing(kindKey(job, what), id);
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}

function styleOf({ configuration }: Dependencies, check: CheckOption): PingStyle {
  const { names, link } = configuration.notify;
  return { incomplete: typeof check === 'string' ? 'fail' : check.incomplete, names, link };
}

async function sent(deps: Dependencies, check: CheckOption, ping: Ping): Promise<boolean> {
  const setting = settingOfCheck(check);
  try {
    await deps.notifier.ping(deps.configuration.notify.pings.get(setting)!, ping);
    return true;
  } catch (error) {
    deps.telemetry.warn('ping-not-sent', { run: ping.run, setting, message: (error as Error).message });
    return false;
  }
}
