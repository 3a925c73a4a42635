import type { RunRef, RunSummary } from '#domain/run/run.ts';

/**
 * The index of runs in the vault's Azure Table, newest first. It answers lists quickly and decides nothing: it can be
 * rebuilt from the run summaries in the control container at any time.
 */
export interface Catalog {
  /** Adds or replaces the row of one run. Makes the table when it is missing. */
  put(row: CatalogRow): Promise<void>;
  /** At most `limit` rows, newest first; `next` continues. A missing table is an empty list. */
  list(options: { job?: string; limit: number; cursor?: string }): Promise<{ rows: CatalogRow[]; next?: string }>;
}

export interface CatalogRow {
  id: string;
  job: string;
  mode: string;
  trigger: string;
  status: string;
  dryRun: boolean;
  startedAt: string;
  finishedAt?: string;
  counts?: Record<string, number>;
  bytes?: Record<string, number>;
}

/** The row that a run's summary makes, when it is published and when the catalog is rebuilt. */
export function catalogRowOf(summary: RunSummary): CatalogRow {
  const { id, job, mode, trigger, status, dryRun, startedAt, finishedAt, counts, bytes } = summary;
  return {
    id,
    job,
    mode,
    trigger,
    status,
    dryRun,
    startedAt,
    ...(finishedAt !== null && { finishedAt }),
    counts: { ...counts },
    bytes: { ...bytes },
  };
}

/** The row of a run that has just begun. */
export function startedRow({ id, job, mode, trigger, dryRun, startedAt }: RunRef): CatalogRow {
  return { id, job, mode, trigger, dryRun, startedAt, status: 'running' };
}
