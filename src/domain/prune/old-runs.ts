import type { RunSummary } from '../run/run.ts';

/** An ended run of a job that is listed as having left no restore point. */
export interface EndedRun {
  id: string;
  /** ISO 8601, by the clock of the service. */
  endedAt: string;
}

/** What the vault says about the runs of a job. */
export interface Uses {
  /** The runs whose objects restore points name, and runs in progress. */
  named: ReadonlySet<string>;
  /** The restore points that are there, marked for removal or not. */
  points: ReadonlySet<string>;
}

/** The runs that are old enough and that nothing names, oldest first. `before`: milliseconds. */
export function agedRuns(ended: readonly EndedRun[], { named, points }: Uses, before: number): string[] {
  return (
    ended
      // An unreadable time is not a reason to delete.
      .filter(({ id, endedAt }) => Date.parse(endedAt) < before && !named.has(id) && !points.has(id))
      .sort((a, b) => Date.parse(a.endedAt) - Date.parse(b.endedAt) || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id)
  );
}

/**
 * Whether nothing but the summary of an aged run is of use: it is no restore point, whatever a listing says, and no
 * restore that may be retried. Once true, it stays true: restore points that are gone do not come back.
 */
export function isOfNoUse(
  {
    mode,
    dryRun,
    status,
    restorePoint,
    restore,
  }: Pick<RunSummary, 'mode' | 'dryRun' | 'status' | 'restorePoint' | 'restore'>,
  points: ReadonlySet<string>,
): boolean {
  if (restorePoint !== false) return false;
  const hasFailed = status === 'failed' || status === 'completed-with-failures';
  if (mode !== 'restore' || dryRun || !hasFailed) return true;
  // Of a restore of a single file, nothing shows whether the file is still there.
  return restore !== undefined && restore.file === undefined && !points.has(restore.point);
}
