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
