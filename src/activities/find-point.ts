import { isRestorePoint } from '../domain/restore-point.ts';
import { parseRunId, type RunSummary } from '../domain/run.ts';
import type { ControlStore } from '../storage/control-store.ts';
import { StorageError } from '../storage/storage-error.ts';

/** The summary of a restore point that work is being done on. Throws when it is no longer there. */
export async function pointOf(control: ControlStore, job: string, id: string): Promise<RunSummary> {
  const summary = await control.readSummary({ job: parseRunId(id)?.job ?? job, id });
  if (summary && isRestorePoint(summary)) return summary;
  throw new StorageError('damaged', `The summary of restore point ${id} is missing`);
}
