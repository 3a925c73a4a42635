import { isRestorePoint } from '#domain/run/restore-point.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';

/**
 * The summary of the restore point that a run works on. Throws `damaged` if it is no longer there, or is not the one on
 * record: every part is known by its SHA-256 in the summary, so a summary that was altered would prove anything.
 */
export async function restorePointSummary(control: ControlStore, job: string, id: string): Promise<RunSummary> {
  const summary = await control.readRecordedSummary({ job: parseRunId(id)?.job ?? job, id });
  if (summary && isRestorePoint(summary)) return summary;
  throw new StorageError('damaged', `The summary of restore point ${id} is missing`);
}
