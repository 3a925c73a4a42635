import type { DurableClient } from 'durable-functions';
import { appendToChain } from '#app/append-to-chain.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { JobContext } from '#app/job-context.ts';
import { type Registered, registerReader } from '#app/register-reader.ts';
import { isAbandoned, type RunLock } from '#domain/run/lock.ts';
import { type ReaderRef, readBy, type UnlockedReader } from '#domain/run/reader-lock.ts';
import type { Removal } from '#domain/run/removal.ts';
import type { HeldLock } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { HttpError } from '../http/http-error.ts';
import { endRun } from './close-run.ts';
import { LIST_POINTS, removedPoint } from './find-restore-point.ts';
import { orchestrationState } from './orchestration-state.ts';

/**
 * The readers of a job that are in progress. Ends the others, as a run that takes the lock of the job over ends the
 * run before: only a reader that has ended no longer keeps prunes from deleting.
 */
export async function readersInProgress(
  deps: Dependencies,
  { job, control, vault }: JobContext,
  client: DurableClient,
): Promise<ReaderRef[]> {
  const inProgress: ReaderRef[] = [];
  for (const { value } of await openReaders(deps, { job, control })) {
    if (await hasEnded(deps, { vault, control }, client, value)) continue;
    inProgress.push(value.run);
  }
  return inProgress;
}

/** A damaged lock of a reader keeps prunes from deleting anything. It keeps no other run from starting. */
async function openReaders(
  deps: Dependencies,
  { job, control }: Pick<JobContext, 'job' | 'control'>,
): Promise<HeldLock<ReaderRef>[]> {
  try {
    return await control.openReaders(job.name);
  } catch (error) {
    if (!isStorageError(error, 'damaged')) throw error;
    deps.telemetry.warn('readers-unknown', { job: job.name, message: error.message });
    return [];
  }
}

async function hasEnded(
  deps: Dependencies,
  { vault, control }: Pick<JobContext, 'vault' | 'control'>,
  client: DurableClient,
  lock: RunLock & { run: ReaderRef },
): Promise<boolean> {
  const { run } = lock;
  const summary = await control.readSummary(run).catch((error) => {
    if (isStorageError(error, 'damaged')) return 'damaged' as const;
    throw error;
  });
  if (summary) {
    // It may have been killed before it could do the rest.
    if (summary !== 'damaged') await appendToChain(deps, vault, summary, { late: true });
    await control.releaseLock(run, deps.now());
    return true;
  }
  const { state } = await orchestrationState(client, run.id);
  if (!isAbandoned(lock, state, deps.now())) return false;
  await endRun(deps, { run, vault: vault.alias }, 'failed');
  return true;
}

/**
 * Registers a reader beside whatever is in progress. A verification by schedule does not begin before the one before
 * has ended: they would pile up.
 */
export async function startReader(
  deps: Dependencies,
  { control }: JobContext,
  run: UnlockedReader,
  inProgress: readonly ReaderRef[],
): Promise<{ lock: RunLock & { run: ReaderRef } } | { running: ReaderRef }> {
  const before = run.trigger === 'timer' ? inProgress.find(({ mode }) => mode === run.mode) : undefined;
  if (before) return { running: before };
  const registered = await register(deps, control, run);
  if (registered && 'refused' in registered) throw refusedPoint(readBy(run).point!, registered.refused);
  if (!registered) throw new Error(`Another run has the id ${run.id}`);
  return registered;
}

function refusedPoint(point: string, refused: Removal | 'gone'): HttpError {
  if (refused !== 'gone') return removedPoint(404, point, refused);
  return new HttpError(404, 'point-removed', `A prune has removed restore point ${point}`, LIST_POINTS);
}

async function register(
  deps: Dependencies,
  control: JobContext['control'],
  run: UnlockedReader,
): Promise<Registered | undefined> {
  try {
    return await registerReader(control, run, deps.now());
  } catch (error) {
    if (!isStorageError(error, 'precondition')) throw error;
    throw new HttpError(409, 'lock-contended', `Several calls start a run of "${run.job}" at once`, 'Try again');
  }
}
