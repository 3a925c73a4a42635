import type { DurableClient } from 'durable-functions';
import { appendToChain } from '#app/append-to-chain.ts';
import { endRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { JobContext } from '#app/job-context.ts';
import { type Registered, registerReader } from '#app/register-reader.ts';
import type { RunLock } from '#domain/run/lock.ts';
import { type Occurrence, servingRun } from '#domain/run/occurrence.ts';
import { problemOf } from '#domain/run/problems.ts';
import { type ReaderRef, readBy, type UnlockedReader } from '#domain/run/reader-lock.ts';
import type { Removal } from '#domain/run/removal.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import type { Life } from '#domain/run/sign-of-life.ts';
import type { HeldLock } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { HttpError } from '../http/http-error.ts';
import { LIST_POINTS } from './absent-point.ts';
import { removedPoint } from './find-restore-point.ts';
import { holderLife, isOver } from './holder-life.ts';
import { servedBy } from './served-by.ts';

/** The run that keeps another from starting. */
export interface InTheWay {
  running: RunRef;
  /** Why operators should look after it; absent if all is as usual. */
  reason?: string;
}

/**
 * The readers of a job that are in progress. Ends the others, as a run that takes the lock of the job over ends the
 * run before: only a reader that has ended no longer keeps prunes from deleting.
 */
export async function readersInProgress(
  deps: Dependencies,
  context: JobContext,
  client: DurableClient,
): Promise<ReaderRef[]> {
  const { locks: open, unknown } = await context.control.openReaders(context.job.name);
  // Each keeps prunes from deleting anything, and no other run from starting.
  for (const { id, error } of unknown) {
    deps.telemetry.warn('reader-unknown', { job: context.job.name, run: id, message: error.message });
  }
  // At once: it takes minutes to find out whether one is stalled.
  const states = await Promise.all(open.map((lock) => stateOf(deps, context, client, lock)));
  const inProgress: ReaderRef[] = [];
  for (const [index, { value }] of open.entries()) {
    const state = states[index]!;
    if (state === 'running') inProgress.push(value.run);
    else await end(deps, context, client, { run: value.run, state });
  }
  return inProgress;
}

type State = Life | { summary: RunSummary | 'damaged' };

async function stateOf(
  deps: Dependencies,
  { control }: JobContext,
  client: DurableClient,
  lock: HeldLock<ReaderRef>,
): Promise<State> {
  const { run } = lock.value;
  const summary = await control.readSummary(run).catch((error) => {
    if (isStorageError(error, 'damaged')) return 'damaged' as const;
    throw error;
  });
  if (summary) return { summary };
  const found = await holderLife(deps, client, control, lock);
  return (await isOver(deps, control, run, found)) ? found.life : 'running';
}

async function end(
  deps: Dependencies,
  { vault, control }: JobContext,
  client: DurableClient,
  { run, state }: { run: ReaderRef; state: Exclude<State, 'running'> },
): Promise<void> {
  if (typeof state === 'object') {
    // It may have been killed before it could do the rest.
    if (state.summary !== 'damaged') await appendToChain(deps, vault, state.summary, { late: true });
    await control.releaseLock(run, deps.now());
    return;
  }
  const isStalled = state === 'stalled';
  if (isStalled) await client.terminate(run.id, 'It gave no sign of life').catch(() => {});
  const problem = problemOf(isStalled ? 'run-stalled' : 'run-lost', 0);
  await endRun(deps, { run, vault: vault.alias }, 'failed', problem);
}

/**
 * Registers a reader beside whatever is in progress. A verification by schedule does not begin before the one before
 * has ended: they would pile up.
 */
export async function startReader(
  deps: Dependencies,
  { control, vault }: JobContext,
  run: UnlockedReader,
  { inProgress, due }: { inProgress: readonly ReaderRef[]; due: Occurrence | undefined },
): Promise<{ lock: RunLock & { run: ReaderRef } } | { running: ReaderRef } | { served: string }> {
  const job = due && (await control.readLock(run.job))?.value;
  const served = due && (await servedBy({ control }, job, due, deps.now()));
  if (served !== undefined) return { served };
  const before = run.trigger === 'timer' ? inProgress.find(({ mode }) => mode === run.mode) : undefined;
  if (before) return { running: before };
  const registered = await register(deps, control, run);
  if (registered && 'refused' in registered) throw refusedPoint(readBy(run).point!, registered.refused);
  if (!registered) throw new Error(`Another run has the id ${run.id}`);
  if (!due) return registered;
  const lost = servingRun(job?.served, due, deps.now());
  const by = await control.markServed(run, due, deps.now(), lost).catch(async (error) => {
    // It does not begin. The mark may be there all the same: only a run that was lost has not served its occurrence.
    await endRun(deps, { run, vault: vault.alias }, 'failed').catch(() => {});
    throw error;
  });
  if (by === run.id) return registered;
  await control.releaseLock(run, deps.now());
  return { served: by };
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
