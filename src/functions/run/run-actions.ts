import type { Dependencies } from '#app/dependencies.ts';
import { isBackup } from '#domain/run/run.ts';
import { HttpError } from '../http/http-error.ts';
import { jobOfStored } from './configured-job.ts';
import type { FoundRun } from './find-run.ts';
import { checkRetry, notNewest } from './retry-checks.ts';

/** Whether a call would do something now, or the code and message of its refusal. */
export type Action = { may: true } | { may: false; code: string; why: string };

export interface RunActions {
  cancel: Action;
  retry: Action;
}

const CAN: Action = { may: true };

/** What an operator can do with a run, by the run and the lock of its job. A call may find more. */
export async function actionsOf(deps: Dependencies, found: FoundRun): Promise<RunActions> {
  if (found.state === 'running') {
    const { id } = found.run;
    const cancel: Action = found.lock.cancel
      ? { may: false, code: 'cancelling', why: `Run ${id} was asked to end, and ends soon` }
      : CAN;
    return { cancel, retry: { may: false, code: 'run-in-progress', why: `Run ${id} is in progress` } };
  }
  const { id, status } = found.state === 'ended' ? found.summary : { id: found.run.id, status: 'failed' };
  const cancel: Action = { may: false, code: 'run-ended', why: `Run ${id} has ended: ${status}` };
  return { cancel, retry: await retryOf(deps, found) };
}

async function retryOf(deps: Dependencies, found: Exclude<FoundRun, { state: 'running' }>): Promise<Action> {
  try {
    const { id, job, mode } = checkRetry(found);
    jobOfStored(deps, job);
    if (!isBackup(mode)) return CAN;
    const lock = (await found.control.readLock(job))?.value;
    if (lock?.run) {
      const why = `Run ${lock.run.id} of "${job}" is in progress`;
      return { may: false, code: 'run-in-progress', why };
    }
    if (lock?.last !== id) throw notNewest(id, job, lock?.last);
    return CAN;
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    return { may: false, code: error.code, why: error.message };
  }
}
