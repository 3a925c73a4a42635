import type { By } from '#domain/run/by.ts';
import { defined } from '#domain/run/defined.ts';
import { asksForAction, isRemark, type Problem } from '#domain/run/problems.ts';
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
  list(options: ListedRows): Promise<CatalogPage>;
}

export interface ListedRows {
  job?: string;
  /** Leaves starts that were not made out: any number of them may be newer than the last run. */
  runsOnly?: true;
  limit: number;
  cursor?: string;
}

/** The status of the row of a start that was not made. */
export const NOT_STARTED = 'not-started';

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
  /** The worst problem, if there is one; or why a scheduled run did not start. */
  problem?: RowProblem;
}

export type RowProblem = Pick<Problem, 'code' | 'container' | 'count' | 'message'>;

/** The row of a published run. */
export function catalogRowOf(summary: RunSummary): CatalogRow {
  const { id, job, mode, trigger, by, status, dryRun, startedAt, finishedAt, counts, bytes } = summary;
  const problem = worstOf(summary.problems);
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
    ...(problem && { problem }),
  };
}

/** Problems of a whole run or container come first, and then those that ask for action. */
function worstOf(problems: readonly Problem[]): RowProblem | undefined {
  const weight = (problem: Problem) =>
    (isRemark(problem) ? 0 : 1) + (asksForAction(problem.code) ? 2 : 0) + (problem.count === 0 ? 4 : 0);
  const [worst] = problems.toSorted((a, b) => weight(b) - weight(a) || b.count - a.count);
  if (!worst) return undefined;
  const { code, container, count, message } = worst;
  return { code, ...(container !== undefined && { container }), count, message };
}

/** The row of a run that has just started. */
export function startedRow({ id, job, mode, trigger, by, dryRun, startedAt }: RunRef): CatalogRow {
  return { id, job, mode, trigger, ...defined({ by }), dryRun, startedAt, status: 'running' };
}
