import type { DurableClient } from 'durable-functions';
import type { Reply } from '#api/operation.ts';
import { OPERATIONS } from '#api/operations.ts';
import { endRun } from '#app/close-run.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { Permission } from '#domain/access/permission.ts';
import { lockPathOf } from '#domain/run/lock-place.ts';
import { hintFor, PROBLEMS } from '#domain/run/problems.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { endUnknownReader } from './end-unknown-reader.ts';
import { findRun } from './find-run.ts';
import { silentFor } from './holder-life.ts';
import { permissionOf } from './run-permission.ts';

/**
 * POST /api/runs/{id}/cancel — asks a run to end. Its activities read the request within seconds and abort pending
 * copies; then the run ends. With `force`, the run ends at once, even if its orchestration is stuck.
 */
export function cancelRunHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.cancelRun, async ({ params: { id }, body: { force }, check }, client) => {
    if (force) check('protect');
    const ended = force ? await endByForce(deps, client, id) : undefined;
    if (ended) return reply(200, { id, status: ended.status, cancelling: false, location: `/api/runs/${id}` });
    return askToEnd(deps, client, id, check);
  });
}

/** Undefined if the run has ended already. */
async function endByForce(deps: Dependencies, client: DurableClient, id: string): Promise<RunSummary | undefined> {
  const unknown = await endUnknownReader(deps, client, id);
  if (unknown) return unknown;
  const found = await findRun(deps, client, id);
  const isLost = found.state === 'lost';
  if (found.state === 'ended' || (isLost && !found.holdsLock)) return undefined;
  // Even if the orchestration is unreachable, the run cannot continue without its lock.
  await client.terminate(id, 'Cancelled by force').catch(() => {});
  return endRun(deps, found, isLost ? 'failed' : 'cancelled');
}

async function askToEnd(
  deps: Dependencies,
  client: DurableClient,
  id: string,
  check: (permission: Permission) => void,
): Promise<Reply<typeof OPERATIONS.cancelRun>> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const found = await findRun(deps, client, id);
    check(permissionOf(found));
    if (found.state !== 'running') {
      const status = found.state === 'ended' ? found.summary.status : 'failed';
      throw new HttpError(409, 'run-ended', `Run ${id} has ended: ${status}`);
    }
    const { lock, lockEtag, run, control } = found;
    const isSilent = found.silence > patienceOf(deps.limits).reported;
    const whatToDo = hintFor(run, PROBLEMS['run-silent'].hint);
    const hint = isSilent && `${whatToDo} It last gave one ${silentFor(found.silence)} ago.`;
    const about = {
      id,
      status: 'running',
      cancelling: true,
      location: `/api/runs/${id}`,
      ...(hint && { hint }),
    } as const;
    if (lock.cancel) return reply(202, about);
    const wanted = { ...lock, cancel: true };
    if (await control.writeJson(lockPathOf(run), wanted, { ifMatch: lockEtag })) return reply(202, about);
  }
  throw new HttpError(409, 'lock-contended', `The lock of run ${id} keeps changing`, 'Try again');
}
