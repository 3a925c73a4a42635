import type { DurableClient } from 'durable-functions';
import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import type { Job } from '#config/configuration.ts';
import { lockPath } from '#domain/run/control-paths.ts';
import { acquire, isAbandoned, type RunLock, release } from '#domain/run/lock.ts';
import { isBackup, leftBy, pointOfRun, type RequestedRun, type RunRef, type UnlockedRun } from '#domain/run/run.ts';
import { newRunId } from '#domain/run/run-id.ts';
import type { RunJobInput } from '#orchestrations/run-job.ts';
import { startedRow } from '#storage/catalog.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, json, readBody } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { closeRun, endRun } from './close-run.ts';
import { orchestrationState } from './orchestration-state.ts';

/** Takes the job's lock and starts the orchestration; or says which run holds the lock. */
export async function startRun(
  deps: Dependencies,
  client: DurableClient,
  wanted: RequestedRun,
): Promise<{ started: RunRef } | { running: RunRef }> {
  const place = jobContextOf(deps, wanted.job);
  const now = deps.now();
  const requests: Record<string, number> = {};
  return countingRequests(requests, async () => {
    const taken = await takeLock(deps, place, client, {
      ...wanted,
      ...(hasNext(place.job, wanted) && { hasNext: true as const }),
      id: newRunId(wanted.job, now, deps.random()),
      startedAt: now.toISOString(),
    });
    if ('running' in taken) return taken;
    const { run } = taken.lock;
    // Not waited for: a table that stalls must not keep a run from beginning for so long that it is taken to be lost.
    const noted = countingRequests({}, () => noteInCatalog(deps, place.vault.alias, startedRow(run)));
    // A failure shows where it is awaited.
    noted.catch(() => {});
    const input: RunJobInput = { run, requests: { ...requests, InsertOrReplaceEntity: 1 } };
    try {
      await client.startNew('runJob', { instanceId: run.id, input });
    } catch (error) {
      // Should the orchestration have started after all, it finds that it no longer holds the lock, and ends. Where even
      // this is out of reach, the next start finds a run that never began.
      await endRun(deps, { run, vault: place.vault.alias }, 'failed').catch(() => {});
      await noted;
      throw error;
    }
    await noted;
    deps.telemetry.runStarted(run);
    return { started: run };
  });
}

/** Whether another run follows one like this; which, is decided when it has ended. */
function hasNext({ verify }: Job, wanted: RequestedRun): boolean {
  if (wanted.mode === 'prune') return wanted.prune.carryOut === true;
  return isBackup(wanted.mode) && !wanted.dryRun && verify?.afterRun !== undefined;
}

async function takeLock(
  deps: Dependencies,
  place: JobContext,
  client: DurableClient,
  run: UnlockedRun,
): Promise<{ lock: RunLock & { run: RunRef } } | { running: RunRef }> {
  const { control } = place;
  const path = lockPath(run.job);
  // Losing the race for the lock shows as another holder at the next look; more than a few rounds would be no race.
  for (let attempt = 0; attempt < 5; attempt++) {
    const found = await control.readLock(run.job);
    const holder = found?.value.run;
    let before = found?.value;
    if (found && holder) {
      // A run that has published its summary is over; its lock is free a moment later, or never, if it was killed there.
      let ended = await control.readSummary(holder).catch((error) => {
        // Only what has ended has one: what it says is needed for a retry, and for nothing else.
        if (isStorageError(error, 'damaged')) return 'damaged' as const;
        throw error;
      });
      if (!ended) {
        const { state } = await orchestrationState(client, holder.id);
        if (!isAbandoned(found.value, state, deps.now())) return { running: holder };
        deps.telemetry.warn('lock-taken-over', { job: run.job, from: holder.id, by: run.id });
        // An activity of it may still be publishing: it must have ended for good before this run begins.
        ended = await closeRun(deps, { run: holder, vault: place.vault.alias }, 'failed');
      }
      before = release(found.value, deps.now(), ended === 'damaged' ? {} : leftBy(ended));
    }
    if (run.mode === 'retry' && before?.last !== run.retryOf) {
      // The restore point of the retry would be the newest, and hold what was there before the later run.
      const why = `Run ${run.retryOf} is not the last that ended: ${before?.last ?? 'none is known'}`;
      throw new HttpError(
        409,
        'nothing-to-retry',
        why,
        'Retry that one, or start a new run: POST /api/jobs/{job}/runs',
      );
    }
    const lock = acquire(before, run, deps.now());
    if (await control.writeJson(path, lock, found ? { ifMatch: found.etag } : 'absent')) return { lock };
  }
  throw new HttpError(409, 'lock-contended', `Several calls try to start job "${run.job}" at once`, 'Try again');
}

const body = z.strictObject({
  mode: z.enum(['full', 'incremental']).default('full'),
  dryRun: z.boolean().default(false),
});

/** POST /api/jobs/{job}/runs */
export function startRunHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const job = request.params.job!;
    const jobs = deps.configuration.jobs.map(({ name }) => name);
    if (!jobs.includes(job)) {
      throw new HttpError(404, 'job-not-found', `There is no job "${job}"`, `The jobs are: ${jobs.join(', ')}`);
    }
    const { mode, dryRun } = await readBody(request, body);
    return answerStart(await startRun(deps, client, { job, mode, dryRun, trigger: 'http' }));
  });
}

/** 202 with the run's address, or 409 naming the run that is at work. */
export function answerStart(result: { started: RunRef } | { running: RunRef }) {
  if ('running' in result) {
    const { id, job, startedAt } = result.running;
    throw new HttpError(
      409,
      'run-in-progress',
      `Run ${id} of job "${job}" has been at work since ${startedAt}`,
      `Wait for it, or cancel it: POST /api/runs/${id}/cancel`,
      { run: id },
    );
  }
  const { id, job, mode, dryRun } = result.started;
  const location = `/api/runs/${id}`;
  const point = pointOfRun(result.started);
  const about = { id, job, mode, dryRun, ...(point && { restorePoint: point }), status: 'running', location };
  return json(202, about, { location });
}
