import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { lockPath } from '#domain/run/control-paths.ts';
import { acquire } from '#domain/run/lock.ts';
import type { NextRun, RunRef, RunSummary } from '#domain/run/run.ts';
import { newRunId } from '#domain/run/run-id.ts';
import { DEFAULT_SAMPLE } from '#domain/verify/sample.ts';
import { startedRow } from '#storage/catalog.ts';

/**
 * Takes the lock of the job for the run that follows another: the verification of a new restore point, or the prune
 * that carries out a new plan. No run follows if there is nothing to do, or if another run took the lock first. A
 * second execution returns the same run.
 */
export async function beginNext(deps: Dependencies, { run }: { run: RunRef }): Promise<{ next?: RunRef }> {
  const context = jobContextOf(deps, run.job);
  const { control, job } = context;
  const summary = await control.readSummary(run);
  const wanted = summary && nextOf(context, run, summary);
  if (!wanted) return {};
  for (let attempt = 0; attempt < 5; attempt++) {
    const lock = await control.readLock(run.job);
    const holder = lock?.value.run;
    if (holder?.follows === run.id) return { next: holder };
    if (!lock || holder) return {};
    const now = deps.now();
    const id = newRunId(run.job, now, deps.random());
    const about = { id, job: run.job, trigger: 'run', startedAt: now.toISOString(), follows: run.id } as const;
    const taken = acquire(lock.value, { ...about, ...wanted }, now);
    if (!(await control.writeJson(lockPath(run.job), taken, { ifMatch: lock.etag }))) continue;
    await noteInCatalog(deps, job.destination.account, startedRow(taken.run));
    deps.telemetry.runStarted(taken.run);
    return { next: taken.run };
  }
  return {};
}

function nextOf(
  { job }: JobContext,
  run: RunRef,
  { restorePoint, plan, counts, status }: RunSummary,
): NextRun | undefined {
  const kind = job.verify?.afterRun;
  if (restorePoint && kind !== undefined) {
    const portion = job.verify?.portion ?? '100%';
    const verify = { point: run.id, kind, portion, turn: 0, sample: DEFAULT_SAMPLE };
    return { mode: 'verify', dryRun: false, verify };
  }
  if (run.mode === 'prune' && run.prune.carryOut && plan && status === 'succeeded') {
    const hasWork = plan.remove.length + plan.expired.length + (counts.planned ?? 0) > 0;
    return hasWork ? { mode: 'prune', dryRun: false, prune: { plan: { run: run.id, hash: plan.hash } } } : undefined;
  }
  return undefined;
}
