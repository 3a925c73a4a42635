import type { Dependencies } from '#app/dependencies.ts';
import { isRemark } from '#domain/run/problems.ts';
import type { Removal } from '#domain/run/removal.ts';
import { isRestorePoint, type Notes } from '#domain/run/restore-point.ts';
import { isBackup, type RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import type { StorageError } from '#storage/storage-error.ts';
import { HttpError } from '../http/http-error.ts';
import { quoted } from '../http/quoted.ts';
import { LIST_POINTS, missingPoint, pointNotFound, whyAbsent } from './absent-point.ts';
import { vaultsOf } from './find-run.ts';

export interface FoundPoint {
  summary: RunSummary;
  /** Alias. */
  vault: string;
  control: ControlStore;
}

/** The restore point of this id, even if a prune marked it for removal. Throws 404 with the reason if there is none. */
export async function findPoint(deps: Dependencies, id: string): Promise<FoundPoint> {
  const job = parseRunId(id)?.job;
  for (const vault of job === undefined ? [] : vaultsOf(deps, job)) {
    const run = { job: job!, id };
    const control = new ControlStore(deps.blobs(vault));
    const summary = await control.readRecordedSummary(run);
    if (summary && isRestorePoint(summary)) return { summary, vault, control };
    if (summary) throw pointNotFound(`Run ${id} made no restore point: ${whyNone(summary)}`);
    if (await control.findLockOf(run)) throw pointNotFound(`Run ${id} is in progress and has no restore point yet`);
    const why = await whyAbsent(control, run);
    if (why) throw why;
  }
  throw pointNotFound(`No vault has a restore point ${quoted(id)}`);
}

/** The restore point of this id, with its notes. Throws 404 also if a prune marked it for removal. */
export async function findUnmarkedPoint(deps: Dependencies, id: string): Promise<FoundPoint & { notes: Notes }> {
  const found = await findPoint(deps, id);
  const notes = await found.control.readNotes(found.summary);
  if (notes.removed) throw removedPoint(404, id, notes.removed);
  return { ...found, notes };
}

export function removedPoint(status: number, id: string, { at, run, emptied }: Removal): HttpError {
  const message = `Run ${run} marked restore point ${id} for removal at ${at}`;
  // While its content is there, the mark can be taken back.
  const hint = emptied === undefined ? `To keep it, POST /api/restore-points/${id}/unmark. Or c` : 'C';
  return new HttpError(status, 'point-removed', message, hint + LIST_POINTS.slice(1));
}

function whyNone({ mode, dryRun, status, problems }: RunSummary): string {
  if (!isBackup(mode)) return `its mode is "${mode}"`;
  if (dryRun) return 'it was a dry run';
  const causes = problems.filter((each) => !isRemark(each));
  const problem = causes.find(({ container }) => container === undefined) ?? causes[0];
  return problem ? `${status}, ${problem.message}` : status;
}

/** Why the restore point that a lock names as the newest is lost; undefined if it is there. One request. */
export async function lossOfNewest(
  control: ControlStore,
  point: { job: string; id: string },
): Promise<StorageError | undefined> {
  if (await control.hasSummary(point)) return undefined;
  const { points } = await control.chain.pointsOnRecord(point.job);
  return points.get(point.id)?.isEmptied ? undefined : missingPoint(point.id);
}
