import type { Dependencies } from '#app/dependencies.ts';
import { leavesOwed, type RunReport } from '#domain/run/run.ts';
import { scheduledKind } from '#domain/watch/facts.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** A later run of the job that has to do with a run that has ended. */
export interface LaterRun {
  id: string;
  /** It retries the run, follows it, or does what the run could not do. */
  how: 'retries' | 'follows' | 'replaces';
}

type Ended = Pick<RunReport, 'id' | 'mode' | 'dryRun' | 'startedAt' | 'status' | 'trigger' | 'problems'>;

/** One request. More runs have been since an old run: then it is not known. */
const MOST_ROWS = 999;

/** The runs that came of a run, by the catalog; undefined if that is not known. */
export async function followedBy(
  deps: Dependencies,
  vault: string,
  run: Ended & Pick<RunReport, 'job'>,
): Promise<LaterRun[] | undefined> {
  try {
    const query = { job: run.job, runsOnly: true as const, from: new Date(run.startedAt), limit: MOST_ROWS };
    const { rows, next } = await deps.catalog(vault).list(query);
    return next === undefined ? laterRuns(rows, run) : undefined;
  } catch (error) {
    if (isStorageError(error)) return undefined;
    throw error;
  }
}

/** Oldest first. `rows`: the runs of its job that began when it did or later, newest first. */
export function laterRuns(rows: readonly CatalogRow[], run: Ended): LaterRun[] {
  const later = rows.filter(({ id, startedAt }) => id !== run.id && startedAt >= run.startedAt).toReversed();
  const named = later.flatMap(({ id, retryOf, follows, prune }): LaterRun[] => {
    if (retryOf === run.id) return [{ id, how: 'retries' }];
    return follows === run.id || prune?.plan === run.id ? [{ id, how: 'follows' }] : [];
  });
  const kind = scheduledKind(run.mode);
  const isAlike = ({ mode, dryRun }: CatalogRow) => kind !== undefined && scheduledKind(mode) === kind && !dryRun;
  // An operator who cancels a run does without it.
  const isOwed = run.status === 'failed' && !run.dryRun && leavesOwed(run);
  const next = isOwed ? later.find((row) => isAlike(row) && row.retryOf === undefined) : undefined;
  return next ? [...named, { id: next.id, how: 'replaces' }] : named;
}
