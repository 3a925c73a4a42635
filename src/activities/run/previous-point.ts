import { lastPoint } from '#app/last-point.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** The restore point that the present backup of a job is compared with. */
export interface PreviousPoint {
  id: string;
  /** Absent if it is damaged or missing: that must not keep later backups from ending. */
  summary?: RunSummary;
}

/** Undefined if the job has no restore point yet. While a run holds the lock, the answer stays the same. */
export async function previousPoint(control: ControlStore, job: string): Promise<PreviousPoint | undefined> {
  const id = await lastPoint(control, job);
  if (id === undefined) return undefined;
  try {
    const summary = await control.readRecordedSummary({ job, id });
    return { id, ...(summary && { summary }) };
  } catch (error) {
    if (isStorageError(error, 'damaged')) return { id };
    throw error;
  }
}
