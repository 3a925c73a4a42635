import type { Dependencies } from '#app/dependencies.ts';
import { isRemovedByPrune } from '#app/removed-by-prune.ts';
import { runsPrefix } from '#domain/run/control-paths.ts';
import type { PointOnRecord } from '#domain/run/point-on-record.ts';
import { isRestorePoint } from '#domain/run/restore-point.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { missingPoint } from '../run/absent-point.ts';
import { vaultsOf } from '../run/find-run.ts';

/** A run of a job, as listings and the chain show it. */
export interface RunInStore {
  job: string;
  id: string;
  control: ControlStore;
  isRemoved: boolean;
  /** What the chain says of its restore point. */
  onRecord: PointOnRecord | undefined;
}

/** Every run of a job, newest first, from the vault itself: the state of the catalog does not matter. */
export async function runsInStore(deps: Dependencies, job: string): Promise<RunInStore[]> {
  const runs: RunInStore[] = [];
  for (const vault of vaultsOf(deps, job)) {
    const control = new ControlStore(deps.blobs(vault));
    const noted = await control.listNotes(job);
    const { points } = await control.chain.pointsOnRecord(job);
    const ids = new Set<string>();
    for await (const folder of control.foldersBelow(runsPrefix(job))) ids.add(folder.split('/').at(-2)!);
    // A restore point whose folder is gone is lost, and not for that reason unknown.
    for (const [id, { isEmptied }] of points) if (!isEmptied) ids.add(id);
    for (const id of ids) {
      runs.push({ job, id, control, isRemoved: noted.get(id)?.removed !== undefined, onRecord: points.get(id) });
    }
  }
  // Ids sort by time.
  return runs.filter(({ id }) => parseRunId(id)?.job === job).sort((a, b) => (a.id < b.id ? 1 : -1));
}

/**
 * The restore point of a run; undefined if the run left none, or if its content is removed. Throws `damaged` if it is
 * damaged, or on record and lost.
 */
export async function pointOf({ control, onRecord, ...run }: RunInStore): Promise<RunSummary | undefined> {
  if (run.isRemoved) return undefined;
  const summary = await control.readSummary(run, onRecord?.sha256);
  if (summary) return isRestorePoint(summary) ? summary : undefined;
  if (onRecord && !(await isRemovedByPrune(control, run))) throw missingPoint(run.id);
  return undefined;
}
