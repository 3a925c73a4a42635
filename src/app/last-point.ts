import { isRestorePoint } from '#domain/run/restore-point.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';

/**
 * The restore point that was made last. The lock names it, but a lock may have been deleted because it was damaged: the
 * last record counts, unless the chain does not have the one that the lock names. Without either, the listing shows it.
 */
export async function lastPoint(control: ControlStore, job: string): Promise<string | undefined> {
  const named = (await control.readLock(job))?.value.point;
  const { points } = await control.chain.pointsOnRecord(job);
  if (named !== undefined && !points.has(named)) return named;
  const onRecord = [...points].filter(([, { isEmptied }]) => !isEmptied).map(([id]) => id);
  return onRecord.at(-1) ?? named ?? (await newestListed(control, job));
}

async function newestListed(control: ControlStore, job: string): Promise<string | undefined> {
  const listed = await control.listRuns(job);
  const ids = [...listed].filter(([, { restorePoint }]) => restorePoint !== false).map(([id]) => id);
  for (const id of ids.sort().reverse()) {
    const summary = await control.readSummary({ job, id }).catch((error) => {
      if (isStorageError(error, 'damaged')) return undefined;
      throw error;
    });
    if (summary && isRestorePoint(summary)) return id;
  }
  return undefined;
}
