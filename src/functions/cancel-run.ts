import type { Dependencies } from '../activities/dependencies.ts';
import { lockPath } from '../domain/control-paths.ts';
import { answering, json } from './answering.ts';
import { findRun } from './find-run.ts';
import { HttpError } from './http-error.ts';

/** POST /api/runs/{id}/cancel — asks; activities notice within seconds, abort pending copies, and the run ends. */
export function cancelRunHandler(deps: Dependencies) {
  return answering(deps, async (request, client) => {
    const id = request.params.id!;
    for (let attempt = 0; attempt < 5; attempt++) {
      const found = await findRun(deps, client, id);
      if (found.state !== 'running') {
        const status = found.state === 'ended' ? found.summary.status : 'failed';
        throw new HttpError(409, 'run-ended', `Run ${id} has ended: ${status}`);
      }
      const { lock, lockEtag, run, control } = found;
      const answer = { id, status: 'running', cancelling: true, location: `/api/runs/${id}` };
      if (lock.cancel) return json(202, answer);
      const wanted = { ...lock, cancel: true };
      if (await control.writeJson(lockPath(run.job), wanted, { ifMatch: lockEtag })) return json(202, answer);
    }
    throw new HttpError(409, 'lock-contended', `The lock of run ${id} keeps changing`, 'Try again');
  });
}
