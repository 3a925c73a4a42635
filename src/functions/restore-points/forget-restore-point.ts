import { OPERATIONS } from '#api/operations.ts';
import { appendEntry } from '#app/append-to-chain.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { whyAbsent } from '../run/absent-point.ts';
import { findPoint } from '../run/find-restore-point.ts';
import { vaultsOf } from '../run/find-run.ts';

/**
 * POST /api/restore-points/{id}/forget — records that a restore point is lost: it is on record in the chain, or has
 * notes, and its summary is not in the vault. Until then, prunes of the vault delete nothing. Deletes nothing itself.
 */
export function forgetHandler(deps: Dependencies) {
  return answering(deps, OPERATIONS.forgetRestorePoint, async ({ params: { id }, caller: { by } }) => {
    const job = parseRunId(id)?.job;
    for (const vault of job === undefined ? [] : vaultsOf(deps, job)) {
      const control = new ControlStore(deps.blobs(vault));
      const onRecord = (await control.chain.pointsOnRecord(job!)).points.get(id);
      if (!onRecord && !(await control.hasNotes({ job: job!, id }))) continue;
      if (await control.hasSummary({ job: job!, id })) throw stillThere(id);
      if (onRecord?.isForgotten) return reply(200, { id, forgotten: true });
      const why = await whyAbsent(control, { job: job!, id });
      // What a prune has removed is not lost.
      if (why instanceof HttpError) throw why;
      await appendEntry(deps, deps.blobs(vault), job!, { kind: 'forget', point: id, by });
      return reply(200, { id, forgotten: true });
    }
    await findPoint(deps, id);
    throw stillThere(id);
  });
}

function stillThere(id: string): HttpError {
  const hint = 'If it is damaged for good, delete its run.json first. See "Damaged objects" in docs/http-api.md';
  return new HttpError(409, 'point-there', `The summary of restore point ${id} is in the vault`, hint);
}
