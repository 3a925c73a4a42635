import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isArchiving } from '#domain/run/run.ts';
import { answering } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { findKeptPoint } from './find-restore-point.ts';
import { findRun } from './find-run.ts';
import { answerStart, startRun } from './start-run.ts';

/** POST /api/runs/{id}/retry — a new run that copies only what failed in this one. */
export function retryRunHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const id = request.params.id!;
    const found = await findRun(deps, client, id);
    if (found.state === 'running')
      throw new HttpError(409, 'run-in-progress', `Run ${id} is still at work`, 'Wait for it', { run: id });
    const again = 'Start a new run: POST /api/jobs/{job}/runs, or POST /api/restores';
    if (found.state === 'lost')
      throw new HttpError(409, 'nothing-to-retry', `Run ${id} ended without a summary`, again);
    const { job, mode, restore, status, dryRun, containers, problems } = found.summary;
    if (mode === 'verify' || mode === 'prune' || isArchiving(mode)) {
      throw new HttpError(
        409,
        'nothing-to-retry',
        `Run ${id} is a ${mode}`,
        'Start it anew: it looks at everything again',
      );
    }
    if (!deps.configuration.jobs.some(({ name }) => name === job)) {
      throw new HttpError(409, 'job-not-found', `The configuration has no job "${job}" any more`);
    }
    if (dryRun || status === 'succeeded' || status === 'cancelled' || containers.length === 0) {
      const why = dryRun ? 'was a dry run' : containers.length === 0 ? 'reached no container' : status;
      throw new HttpError(409, 'nothing-to-retry', `Run ${id}: ${why}; it has no failures to retry`, again);
    }
    // Containers that were never listed are named nowhere: a retry would make a restore point without them.
    const whole = problems.find(({ container }) => container === undefined);
    if (whole) throw new HttpError(409, 'nothing-to-retry', `Run ${id} failed as a whole: ${whole.message}`, again);
    if (restore) {
      if (!restore.file) await findKeptPoint(deps, restore.point);
      const again = { job, mode: 'restore', trigger: 'http', dryRun: false, retryOf: id, restore } as const;
      return answerStart(await startRun(deps, client, again));
    }
    const place = jobContextOf(deps, job);
    const { container, prefix } = place.job.destination;
    const { summary } = found;
    const sameWay =
      summary.source === place.source.endpoint &&
      summary.vault === place.vault.endpoint &&
      summary.destination.container === container &&
      summary.destination.prefix === prefix;
    if (!sameWay) {
      throw new HttpError(
        409,
        'nothing-to-retry',
        `Job "${job}" has other accounts or another destination since`,
        again,
      );
    }
    return answerStart(
      await startRun(deps, client, { job, mode: 'retry', trigger: 'http', dryRun: false, retryOf: id }),
    );
  });
}
