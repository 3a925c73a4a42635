import { isRemark } from '#domain/run/problems.ts';
import { hasRefusedAccess, isArchiving, type RunSummary } from '#domain/run/run.ts';
import { HttpError } from '../http/http-error.ts';
import type { FoundRun } from './find-run.ts';

/** The summary of an ended run, if there is anything to retry in it. Throws 409 with the reason otherwise. */
export function checkRetry(found: Exclude<FoundRun, { state: 'running' }>): RunSummary {
  if (found.state === 'lost') throw nothingToRetry(`Run ${found.run.id} ended without a summary`);
  checkMode(found.summary);
  checkFailures(found.summary);
  return found.summary;
}

/** The restore point of the retry would be the newest, with content from before the later run. */
export function notNewest(id: string, job: string, last: string | undefined): HttpError {
  const retry = last === undefined ? '' : `Retry the newest: POST /api/runs/${last}/retry. Or start`;
  const hint = `${retry || 'Start'} a new run: POST /api/jobs/${job}/runs`;
  return nothingToRetry(`Run ${id} is not the newest ended backup of its job`, hint);
}

export function nothingToRetry(why: string, hint = 'Start a new run of its job, or POST /api/restores'): HttpError {
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
