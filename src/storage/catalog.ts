import { type Usage, usageOf } from '#domain/cost/usage.ts';
import type { By } from '#domain/run/by.ts';
import { defined } from '#domain/run/defined.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';

/**
 * The index of runs in an Azure table of the vault, newest first. It only makes lists fast. No decision depends on it,
 * and `rebuildCatalog` restores it from the run summaries in the control container.
 */
export interface Catalog {
  /**
   * Adds or replaces the row of a run. Creates the table if it does not exist: then the vault may have runs from
   * before, and the table is incomplete until it is marked as complete.
   */
  put(row: CatalogRow): Promise<'created' | undefined>;
  /** Empties the row of a run that the vault no longer has: lists leave it out. It needs no right to delete. */
  empty(row: CatalogRow): Promise<void>;
  /** Says that the table has the rows of all runs. */
  markComplete(): Promise<void>;
  /**
   * At most `limit` rows, newest first, and a cursor for the next ones. Throws `container-not-found` without a table.
   */
  list(options: { job?: string; limit: number; cursor?: string }): Promise<CatalogPage>;
}

export interface CatalogPage {
  rows: CatalogRow[];
  next?: string;
  /** On a first page: runs from before the table was created may be missing. */
  incomplete?: true;
}

export interface CatalogRow {
  id: string;
  job: string;
  mode: string;
  trigger: string;
  /** Who started it; absent if it is not known. */
  by?: By;
  status: string;
  dryRun: boolean;
  startedAt: string;
  finishedAt?: string;
  counts?: Record<string, number>;
  bytes?: Record<string, number>;
  /** What is billed of it; absent in rows of earlier versions. */
  usage?: Usage;
}

/** The row of a published run. */
export function catalogRowOf(summary: RunSummary): CatalogRow {
  const { id, job, mode, trigger, by, status, dryRun, startedAt, finishedAt, counts, bytes } = summary;
  return {
    id,
    job,
    mode,
    trigger,
    ...defined({ by }),
    status,
    dryRun,
    startedAt,
    ...(finishedAt !== null && { finishedAt }),
    counts: { ...counts },
    bytes: { ...bytes },
    usage: usageOf(summary),
  };
}

/** The row of a run that has just started. */
export function startedRow({ id, job, mode, trigger, by, dryRun, startedAt }: RunRef): CatalogRow {
  return { id, job, mode, trigger, ...defined({ by }), dryRun, startedAt, status: 'running' };
}
