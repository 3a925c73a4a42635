import type { DurableClient } from 'durable-functions';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import { appendToChain } from '#app/append-to-chain.ts';
import { closeRun, endRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { pingStart } from '#app/ping-check.ts';
import { runSetup } from '#app/run-setup.ts';
import type { Job } from '#config/configuration.ts';
import { lockPath } from '#domain/run/control-paths.ts';
import { defined } from '#domain/run/defined.ts';
import { acquire, type RunLock, release } from '#domain/run/lock.ts';
import type { Occurrence } from '#domain/run/occurrence.ts';
import { ORCHESTRATION_VERSION } from '#domain/run/orchestration-version.ts';
import { PROBLEMS, problemOf } from '#domain/run/problems.ts';
import { isReaderRun } from '#domain/run/reader-lock.ts';
import { isBackup, leftBy, pointOfRun, type RequestedRun, type RunRef, type UnlockedRun } from '#domain/run/run.ts';
import { newRunId } from '#domain/run/run-id.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import type { RunJobInput } from '#orchestrations/run-job.ts';
import { startedRow } from '#storage/catalog.ts';
import type { Document } from '#storage/control/control-container.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { currentTrace } from '#telemetry/current-trace.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { configuredJob } from './configured-job.ts';
import { endRunsWithoutJob } from './end-runs-without-job.ts';
import { type HolderLife, holderLife, isOver, silentFor } from './holder-life.ts';
import { type InTheWay, readersInProgress, startReader } from './readers.ts';
import { notNewest } from './retry-checks.ts';
import { servedBy } from './served-by.ts';

type Started = { started: RunRef } | InTheWay;

/**
 * Takes the lock of the job and starts the orchestration, or returns the run that holds the lock. A run that only reads
 * a restore point needs no lock of the job.
 */
export function startRun(deps: Dependencies, client: DurableClient, wanted: RequestedRun): Promise<Started>;
/** As above, unless a run has served this occurrence of a schedule. */
export function startRun(
  deps: Dependencies,
  client: DurableClient,
  wanted: RequestedRun,
  due: Occurrence,
): Promise<Started | { served: string }>;
export async function startRun(
  deps: Dependencies,
  client: DurableClient,
  wanted: RequestedRun,
  due?: Occurrence,
): Promise<Started | { served: string }> {
  await refuseForeignHub(deps);
  const context = jobContextOf(deps, wanted.job);
  const now = deps.now();
  const requests: Record<string, number> = {};
  return countingRequests(requests, async () => {
    const [readers] = await Promise.all([
      readersInProgress(deps, context, client),
      wanted.mode === 'prune' && endRunsWithoutJob(deps, context, client),
    ]);
    const unlocked: UnlockedRun = {
      ...wanted,
      ...(hasNext(context.job, wanted) && { hasNext: true as const }),
      id: newRunId(wanted.job, now, deps.random()),
      startedAt: now.toISOString(),
      orchestrations: ORCHESTRATION_VERSION,
      setup: runSetup(deps, wanted),
      ...defined({ trace: currentTrace() }),
    };
    const taken = isReaderRun(unlocked)
      ? await startReader(deps, context, unlocked, { inProgress: readers, due })
      : await takeLock(deps, context, client, unlocked, due);
    if (!('lock' in taken)) return taken;
    const { run } = taken.lock;
    // Not awaited yet: a slow catalog must not delay the start for so long that the run counts as lost.
    const noted = countingRequests({}, () => noteInCatalog(deps, context.vault.alias, startedRow(run)));
    // The await below throws a failure.
    noted.catch(() => {});
    const input: RunJobInput = { run, requests: { ...requests, InsertOrReplaceEntity: 1 } };
    try {
      await client.startNew('runJob', { instanceId: run.id, input });
    } catch (error) {
      // If the orchestration did start, it finds that its run no longer holds the lock, and ends. If the vault does not
      // answer either, the next start finds a run that never began.
      await endRun(deps, { run, vault: context.vault.alias }, 'failed').catch(() => {});
      await noted;
      throw error;
    }
    await noted;
    deps.telemetry.runStarted(run);
    // Not awaited: a check that hangs must not delay the start.
    void pingStart(deps, run);
    return { started: run };
  });
}

/** Steps of a run in the hub of another app would be executed by that app, too. */
async function refuseForeignHub({ taskHub }: Dependencies): Promise<void> {
  const refusal = await taskHub?.refusal();
  if (refusal !== undefined) throw new HttpError(409, 'task-hub-taken', refusal, PROBLEMS['task-hub-taken'].hint);
}

/** Whether another run follows this one. The end of this run decides which. */
function hasNext({ verify }: Job, wanted: RequestedRun): boolean {
  if (wanted.mode === 'prune') return wanted.prune.carryOut === true;
  return isBackup(wanted.mode) && !wanted.dryRun && verify?.afterRun !== undefined;
}

async function takeLock(
  deps: Dependencies,
  context: JobContext,
  client: DurableClient,
  run: UnlockedRun,
  due: Occurrence | undefined,
): Promise<{ lock: RunLock & { run: RunRef } } | InTheWay | { served: string }> {
  const { control } = context;
  const path = lockPath(run.job);
  // A start that loses the race for the lock finds its new holder in the next round.
  for (let attempt = 0; attempt < 5; attempt++) {
    const found = await control.readLock(run.job);
    const freed = found && (await freeLock(deps, context, client, found, run.id));
    const served = due && (await servedBy(context, found?.value, due, deps.now()));
    if (served !== undefined) return { served };
    if (freed && 'running' in freed) return freed;
    const before = freed?.free;
    if (run.mode === 'retry' && before?.last !== run.retryOf) {
      throw notNewest(run.retryOf, run.job, before?.last);
    }
    const lock = acquire(before, run, deps.now(), due);
    if (await control.writeJson(path, lock, found ? { ifMatch: found.etag } : 'absent')) return { lock };
  }
  throw new HttpError(409, 'lock-contended', `Several calls start a run of "${run.job}" at once`, 'Try again');
}

/** The lock as its holder leaves it, or the holder if it is still running. */
async function freeLock(
  deps: Dependencies,
  { control, vault }: JobContext,
  client: DurableClient,
  { value: lock, age }: Document<RunLock>,
  by: string,
): Promise<{ free: RunLock } | InTheWay> {
  const holder = lock.run;
  if (!holder) return { free: lock };
  // A run with a summary has ended. It frees its lock a moment later, or never, if it was killed in between.
  let ended = await control.readSummary(holder).catch((error) => {
    // Only an ended run has a summary, and only a retry needs its content.
    if (isStorageError(error, 'damaged')) return 'damaged' as const;
    throw error;
  });
  if (!ended) {
    const found = await holderLife(deps, client, control, { value: { run: holder }, age });
    if (!(await isOver(deps, control, holder, found))) return { running: holder, ...reasonOf(deps, found) };
    const isStalled = found.life === 'stalled';
    // If it cannot be terminated, its activities find that it no longer holds the lock.
    if (isStalled) await client.terminate(holder.id, 'It gave no sign of life').catch(() => {});
    const cause = isStalled ? 'run-stalled' : 'run-lost';
    deps.telemetry.warn('lock-taken-over', { job: holder.job, from: holder.id, by, cause });
    // An activity of it may still publish it, so it must end before this run starts.
    ended = await closeRun(deps, { run: holder, vault: vault.alias }, 'failed', problemOf(cause, 0));
  }
  if (ended === 'damaged') return { free: release(lock, deps.now(), {}) };
  // It may have been killed before it could.
  await appendToChain(deps, vault, ended, { late: true });
  return { free: release(lock, deps.now(), leftBy(ended)) };
}

function reasonOf({ limits }: Dependencies, { silence }: HolderLife): Pick<InTheWay, 'reason'> {
  if (silence <= patienceOf(limits).reported) return {};
  return { reason: `it has given no sign of life for ${silentFor(silence)}` };
}

/** POST /api/jobs/{job}/runs */
export function startRunHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.startRun, async ({ params, body: { mode, dryRun }, caller: { by } }, client) => {
    const job = configuredJob(deps, params.job);
    const wanted = mode === 'configured' ? job.mode : mode;
    return answerStart(deps, client, { job: job.name, mode: wanted, dryRun, trigger: 'http', by });
  });
}

/** Starts a run and answers 202 with its address, or throws 409 with the run in progress. */
export async function answerStart(
  deps: Dependencies,
  client: DurableClient,
  wanted: RequestedRun,
): Promise<Reply<typeof OPERATIONS.startRun>> {
  const result = await startRun(deps, client, wanted);
  if ('running' in result) {
    const { id, job, startedAt } = result.running;
    const { reason } = result;
    const cancel = `POST /api/runs/${id}/cancel`;
    throw new HttpError(
      409,
      'run-in-progress',
      `Run ${id} of "${job}" has been in progress since ${startedAt}${reason ? `, but ${reason}` : ''}`,
      reason ? `End it by force: ${cancel} with {"force": true}` : `Wait until it ends, or cancel it: ${cancel}`,
      { run: id },
    );
  }
  const { id, job, mode, dryRun } = result.started;
  const location = `/api/runs/${id}`;
  const point = pointOfRun(result.started);
  const body = { id, job, mode, dryRun, ...(point && { restorePoint: point }), status: 'running' as const, location };
  return reply(202, body, { location });
}
