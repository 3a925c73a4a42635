import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { answering } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { jobOfStored } from './configured-job.ts';
import { findUnmarkedPoint } from './find-restore-point.ts';
import { findRun } from './find-run.ts';
import { checkRetry, nothingToRetry } from './retry-checks.ts';
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
    const summary = checkRetry(found);
    const job = jobOfStored(deps, summary.job).name;
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
