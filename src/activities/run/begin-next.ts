import { createHash } from 'node:crypto';
import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { pingStart } from '#app/ping-check.ts';
import { registerReader } from '#app/register-reader.ts';
import { runSetup } from '#app/run-setup.ts';
import { lockPath } from '#domain/run/control-paths.ts';
import { defined } from '#domain/run/defined.ts';
import { acquire } from '#domain/run/lock.ts';
import { ORCHESTRATION_VERSION } from '#domain/run/orchestration-version.ts';
import type { NextRun, RunRef, RunSummary, VerifyRef } from '#domain/run/run.ts';
import { newRunId } from '#domain/run/run-id.ts';
import { traceOfRun } from '#domain/run/trace.ts';
import { DEFAULT_SAMPLE } from '#domain/verify/sample.ts';
import { startedRow } from '#storage/catalog.ts';

/**
 * Begins the run that follows another: registers the verification of a new restore point, or takes the lock of the job
 * for the prune that carries out a new plan. No run follows if there is nothing to do, or if another run took the lock
 * first. A second execution returns the same run.
 */
export async function beginNext(deps: Dependencies, { run }: { run: RunRef }): Promise<{ next?: RunRef }> {
  const context = jobContextOf(deps, run.job);
  const { control, job } = context;
  const summary = await control.readSummary(run);
  const wanted = summary && nextOf(context, run, summary);
  if (!wanted) return {};
  if (wanted.mode === 'verify') return registerNext(deps, context, { run, summary }, wanted);
  for (let attempt = 0; attempt < 5; attempt++) {
    const lock = await control.readLock(run.job);
    const holder = lock?.value.run;
    if (holder?.follows === run.id) return { next: holder };
    if (!lock || holder) return {};
    const now = deps.now();
    const id = newRunId(run.job, now, deps.random());
    const next = { ...startedBy(run, now), ...wanted, id, job: run.job };
    const taken = acquire(lock.value, { ...next, setup: runSetup(deps, next) }, now);
    if (!(await control.writeJson(lockPath(run.job), taken, { ifMatch: lock.etag }))) continue;
    await noteInCatalog(deps, job.destination.account, startedRow(taken.run));
    deps.telemetry.runStarted(taken.run);
    void pingStart(deps, taken.run);
    return { next: taken.run };
  }
  return {};
}

/** The id follows from that of the run before, so that a second execution finds what the first has registered. */
async function registerNext(
  deps: Dependencies,
  { control, job }: JobContext,
  { run, summary }: { run: RunRef; summary: RunSummary },
  wanted: Pick<VerifyRef, 'mode' | 'dryRun' | 'verify'>,
): Promise<{ next?: RunRef }> {
  const { id: follows, job: of, finishedAt, startedAt } = summary;
  const now = deps.now();
  const id = newRunId(of, new Date(finishedAt ?? startedAt), derivedSuffix(follows));
  const about = { ...startedBy(run, now), ...wanted, id, job: of };
  const registered = await registerReader(control, { ...about, setup: runSetup(deps, about) }, now);
  if (!registered) {
    const before = await control.findLockOf({ job: of, id });
    return before ? { next: before.value.run } : {};
  }
  if ('refused' in registered) return {};
  const next = registered.lock.run;
  await noteInCatalog(deps, job.destination.account, startedRow(next));
  deps.telemetry.runStarted(next);
  void pingStart(deps, next);
  return { next };
}

/** The run that follows belongs to the same trace. */
function startedBy(run: RunRef, now: Date) {
  const { id: follows, by } = run;
  const { parent: _, ...trace } = traceOfRun(run);
  const about = { startedAt: now.toISOString(), follows, orchestrations: ORCHESTRATION_VERSION, trace };
  return { trigger: 'run' as const, ...defined({ by }), ...about };
}

/** Six characters of a–z and 0–9. */
function derivedSuffix(id: string): string {
  const digits = createHash('sha256').update(id).digest().readUIntBE(0, 6).toString(36);
  return digits.padStart(6, '0').slice(-6);
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
    const { remove, expired, leftovers = [], oldRuns = [] } = plan;
    const runs = [...remove, ...expired, ...leftovers, ...oldRuns];
    const hasWork = runs.length + (counts.planned ?? 0) > 0;
    return hasWork ? { mode: 'prune', dryRun: false, prune: { plan: { run: run.id, hash: plan.hash } } } : undefined;
  }
  return undefined;
}
