import type { Dependencies } from '#app/dependencies.ts';
import { runsPrefix } from '#domain/run/control-paths.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { vaultsOf } from '../run/find-run.ts';

/** A run of a job, as listings show it. */
export interface RunInStore {
  job: string;
  id: string;
  control: ControlStore;
  isRemoved: boolean;
  /** SHA-256 of its summary, if the chain has it. */
  recorded: string | undefined;
}

/** Every run of a job, newest first, from the vault itself: the state of the catalog does not matter. */
export async function runsInStore(deps: Dependencies, job: string): Promise<RunInStore[]> {
  const runs: RunInStore[] = [];
  for (const vault of vaultsOf(deps, job)) {
    const control = new ControlStore(deps.blobs(vault));
    const noted = await control.listNotes(job);
    const { points } = await control.chain.pointsOnRecord(job);
    for await (const folder of control.foldersBelow(runsPrefix(job))) {
      const id = folder.split('/').at(-2)!;
      runs.push({
        job,
        id,
        control,
        isRemoved: noted.get(id)?.removed !== undefined,
        recorded: points.get(id)?.sha256,
      });
    }
  }
  // Ids sort by time.
  return runs.filter(({ id }) => parseRunId(id)?.job === job).sort((a, b) => (a.id < b.id ? 1 : -1));
}
