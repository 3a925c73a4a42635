import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { isRemark } from '#domain/run/problems.ts';
import { hasRefusedAccess, isArchiving, type RunSummary } from '#domain/run/run.ts';
import { answering } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { jobOfStored } from './configured-job.ts';
import { findUnmarkedPoint } from './find-restore-point.ts';
import { findRun } from './find-run.ts';
import { permissionOf } from './run-permission.ts';
import { answerStart } from './start-run.ts';

/** POST /api/runs/{id}/retry — starts a run that copies only what failed in this one. */
export function retryRunHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.retryRun, async ({ params: { id }, caller: { by }, check }, client) => {
    const found = await findRun(deps, client, id);
    check(permissionOf(found));
    if (found.state === 'running') {
      throw new HttpError(409, 'run-in-progress', `Run ${id} is in progress`, 'Wait until it ends', { run: id });
    }
    if (found.state === 'lost') throw nothingToRetry(`Run ${id} ended without a summary`);
    const { summary } = found;
    checkMode(summary);
    const job = jobOfStored(deps, summary.job).name;
    checkFailures(summary);
    const start = { job, trigger: 'http', by, dryRun: false, retryOf: id } as const;
    const { restore } = summary;
    if (restore) {
      if (!restore.file) await findUnmarkedPoint(deps, restore.point);
      return answerStart(deps, client, { ...start, mode: 'restore', restore });
    }
    checkRoute(deps, summary);
    return answerStart(deps, client, { ...start, mode: 'retry' });
  });
}

function nothingToRetry(why: string, hint = 'Start a new run of its job, or POST /api/restores'): HttpError {
  return new HttpError(409, 'nothing-to-retry', why, hint);
}

function checkMode({ id, mode }: RunSummary): void {
  if (mode !== 'verify' && mode !== 'prune' && !isArchiving(mode)) return;
  throw nothingToRetry(`Run ${id} has mode "${mode}", and only backups and restores can be retried`, 'Start it again');
}

function checkFailures({ id, dryRun, status, containers, problems }: RunSummary): void {
  if (dryRun) throw nothingToRetry(`Run ${id} was a dry run`);
  if (status === 'succeeded') throw nothingToRetry(`Run ${id} succeeded`);
  if (status === 'cancelled') throw nothingToRetry(`Run ${id} was cancelled`);
  if (containers.length === 0) throw nothingToRetry(`Run ${id} processed no container`);
  const isFailed = containers.some(
    (each) =>
      each.status === 'failed' || each.status === 'cancelled' || each.counts.failed > 0 || hasRefusedAccess(each),
  );
  if (!isFailed) throw nothingToRetry(`Nothing of run ${id} failed, and a retry does not try what the run skipped`);
  // Nothing names the containers that were never listed: a retry would make a restore point without them.
  const whole = problems.find((each) => each.container === undefined && !isRemark(each));
  if (whole) throw nothingToRetry(`Run ${id} failed as a whole: ${whole.message}`);
}

/** Throws if the job now copies from or to another place. */
function checkRoute(deps: Dependencies, { job: name, source, vault, destination }: RunSummary): void {
  const now = jobContextOf(deps, name);
  const { container, prefix } = now.job.destination;
  const isSame =
    source === now.source.endpoint &&
    vault === now.vault.endpoint &&
    destination.container === container &&
    destination.prefix === prefix;
  if (isSame) return;
  throw nothingToRetry(`The accounts or the destination of job "${name}" changed after this run`);
}
