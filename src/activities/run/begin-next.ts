import type { Dependencies } from '#app/dependencies.ts';
import { type JobContext, jobContextOf } from '#app/job-context.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { lockPath } from '#domain/run/control-paths.ts';
import { acquire } from '#domain/run/lock.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { newRunId } from '#domain/run/run-id.ts';
import { startedRow } from '#storage/catalog.ts';

/** Blobs that a drill restores, where nothing else is said. */
const SAMPLE = 20;

/**
 * Takes the job's lock for the run that follows another: the verification of a restore point that was just made, or the prune that
 * was just planned. Nothing follows where the run did not come to that, or where somebody else was quicker. Executed twice, it
 * names the same run.
 */
export function makeBeginNext(deps: Dependencies) {
  return async function beginNext({ run }: { run: RunRef }): Promise<{ next?: RunRef }> {
    const place = jobContextOf(deps, run.job);
    const { control, job } = place;
    const summary = await control.readSummary(run);
    const wanted = summary && nextOf(place, run, summary);
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
  };
}

type Wanted = Pick<RunRef, 'mode' | 'dryRun' | 'verify' | 'prune'>;

function nextOf({ job }: JobContext, run: RunRef, summary: RunSummary): Wanted | undefined {
  const kind = job.verify?.afterRun;
  if (summary.restorePoint && kind !== undefined) {
    const share = job.verify?.portion ?? '100%';
    return { mode: 'verify', dryRun: false, verify: { point: run.id, kind, portion: share, turn: 0, sample: SAMPLE } };
  }
  const { plan, counts, status } = summary;
  if (run.prune?.carryOut && plan && status === 'succeeded') {
    const hasWork = plan.remove.length + plan.expired.length + (counts.planned ?? 0) > 0;
    return hasWork ? { mode: 'prune', dryRun: false, prune: { plan: { run: run.id, hash: plan.hash } } } : undefined;
  }
  return undefined;
}
