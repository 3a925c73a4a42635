import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { runsAs } from '#app/job-context.ts';
import type { RunLock } from '#domain/run/lock.ts';
import type { ListedPart } from '#domain/run/placed-part.ts';
import type { RunRef, RunSummary, UnlockedRun } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';
import { whyAbsent } from './absent-point.ts';
import { type HolderLife, holderLife } from './holder-life.ts';

/** A run in the vault: ended with a summary, in progress with its lock, or lost. */
export type FoundRun = { vault: string; control: ControlStore } & (
  | { state: 'ended'; summary: RunSummary }
  | ({ state: 'running'; run: RunRef; lock: RunLock; lockEtag: string } & HolderLife)
  | { state: 'lost'; run: UnlockedRun; parts: ListedPart[]; holdsLock: boolean }
);

/** Throws 404 if no vault has the run. */
export async function findRun(deps: Dependencies, client: DurableClient, id: string): Promise<FoundRun> {
  const parsed = parseRunId(id);
  if (!parsed) throw notFound(id);
  const { job } = parsed;
  for (const alias of vaultsOf(deps, job)) {
    const control = new ControlStore(deps.blobs(alias));
    const at = { vault: alias, control };
    const ended = await control.readRecordedSummary({ job, id });
    if (ended) return { ...at, state: 'ended', summary: ended };
    const lock = await control.findLockOf({ job, id });
    const run = lock?.value.run;
    const holder = lock && (await holderLife(deps, client, control, lock));
    if (lock && holder && holder.life !== 'lost') {
      return { ...at, state: 'running', run: lock.value.run, lock: lock.value, lockEtag: lock.etag, ...holder };
    }
    const parts = await control.listParts({ job, id });
    // It may have ended since the first read.
    const now = await control.readRecordedSummary({ job, id });
    if (now) return { ...at, state: 'ended', summary: now };
    // A run that is on record has ended, and left a summary. A prune may have removed it with its restore point.
    const why = await whyAbsent(control, { job, id });
    if (why) throw why;
    if ((await control.chain.summaryOnRecord({ job, id })) !== undefined) throw missingSummary(id);
    if (run) return { ...at, state: 'lost', run, parts, holdsLock: true };
    if (parts.length === 0) continue;
    return { ...at, state: 'lost', run: unknownRun(parsed, id), parts, holdsLock: false };
  }
  throw notFound(id);
}

/** A run of which only the id is known. Its mode is that of most runs. */
export function unknownRun({ job, startedAt }: { job: string; startedAt: Date }, id: string): UnlockedRun {
  return { id, job, mode: 'incremental', trigger: 'http', dryRun: false, startedAt: startedAt.toISOString() };
}

/** The vault of a job; all vaults without a job, or for a job that the configuration no longer has. */
export function vaultsOf(deps: Dependencies, job?: string): string[] {
  const jobs = runsAs(deps);
  const own = jobs.filter(({ name }) => name === job);
  return [...new Set((own.length > 0 ? own : jobs).map(({ destination }) => destination.account))];
}

function missingSummary(id: string): StorageError {
  return new StorageError('damaged', `Run ${id} is on record in the chain, and its summary is missing`);
}

function notFound(id: string): HttpError {
  return new HttpError(404, 'run-not-found', `There is no run ${quoted(id)}`, 'Choose another run: GET /api/runs');
}
