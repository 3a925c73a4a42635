import { type Usage, usageOf } from '#domain/cost/usage.ts';
import { type PointFacts, pointFacts } from '#domain/restore/point-facts.ts';
import { type Asked, askedOf } from '#domain/run/asked.ts';
import type { By } from '#domain/run/by.ts';
import { defined } from '#domain/run/defined.ts';
import { heldByPlan } from '#domain/run/held-by-plan.ts';
import type { HeldContent } from '#domain/run/held-content.ts';
import { type Problem, worstOf } from '#domain/run/problems.ts';
import { isRestorePoint } from '#domain/run/restore-point.ts';
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
  list(options: CatalogQuery): Promise<CatalogPage>;
}

/** Which rows to list: all that an absent field leaves. */
export interface CatalogQuery extends RowChoice {
  limit: number;
  cursor?: string;
}

export interface RowChoice {
  job?: string;
  /** Leaves starts that were not made out: any number of them may be newer than the last run. */
  runsOnly?: true;
  modes?: readonly string[];
  statuses?: readonly string[];
  trigger?: string;
  dryRun?: boolean;
  /** Runs that started at these times or between them. */
  from?: Date;
  to?: Date;
}

/** The status of the row of a start that was not made. */
export const NOT_STARTED = 'not-started';

export interface CatalogPage {
  rows: CatalogRow[];
  next?: string;
  /** On a first page: runs from before the table was created may be missing. */
  incomplete?: true;
}

export interface CatalogRow extends Asked {
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
  /** The worst problem, if there is one; or why a scheduled run did not start. */
  problem?: RowProblem;
  /** Of an ended run, how many problems it has, how long it took, and how many requests it sent in all. */
  problems?: number;
  seconds?: number;
  requests?: number;
  /** Of a restore point. */
  point?: PointFacts;
  /** Of the plan of a prune that listed everything of its job. */
  held?: HeldContent;
}

export type RowProblem = Pick<Problem, 'code' | 'container' | 'count' | 'message'>;

/** Characters. The message of a service has no limit. */
const LONGEST_MESSAGE = 1000;

/** The row of a published run. A row that an earlier version wrote lacks what is new here, until a rebuild. */
export function catalogRowOf(summary: RunSummary): CatalogRow {
  const { id, job, mode, trigger, by, status, dryRun, startedAt, finishedAt, counts, bytes } = summary;
  // A summary of another version may lack members that nothing relies on.
  const { requests = {} }: Partial<Pick<RunSummary, 'requests'>> = summary;
  const problem = worstOf(summary.problems);
  return {
    ...{ id, job, mode, trigger, ...defined({ by }), status, dryRun, startedAt },
    ...askedOf(summary),
    ...(finishedAt !== null && { finishedAt, seconds: secondsBetween(startedAt, finishedAt) }),
    counts: { ...counts },
    bytes: { ...bytes },
    usage: usageOf(summary),
    ...(problem && { problem: rowProblem(problem) }),
    problems: summary.problems.length,
    requests: Object.values(requests).reduce((sum, count) => sum + count, 0),
    ...(isRestorePoint(summary) && { point: pointFacts(summary) }),
    ...defined({ held: heldByPlan(summary) }),
  };
}

/** A problem as a row has room for it. */
export function rowProblem({ code, container, count = 0, message = code }: Problem): RowProblem {
  const text = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
  return { code, ...defined({ container }), count, message: text };
}

function secondsBetween(from: string, to: string): number {
  return Math.max(Math.round((Date.parse(to) - Date.parse(from)) / 100) / 10, 0);
}

/** The row of a run that has just started. */
export function startedRow(run: RunRef): CatalogRow {
  const { id, job, mode, trigger, by, dryRun, startedAt } = run;
  return { id, job, mode, trigger, ...defined({ by }), dryRun, startedAt, ...askedOf(run), status: 'running' };
}

/** Whether a list of this choice has the row. */
export function isChosenRow(row: CatalogRow, choice: RowChoice): boolean {
  const { job, runsOnly, modes, statuses, trigger, dryRun, from, to } = choice;
  const at = Date.parse(row.startedAt);
  return (
    (job === undefined || row.job === job) &&
    (!runsOnly || row.status !== NOT_STARTED) &&
    (modes === undefined || modes.includes(row.mode)) &&
    (statuses === undefined || statuses.includes(row.status)) &&
    (trigger === undefined || row.trigger === trigger) &&
    (dryRun === undefined || row.dryRun === dryRun) &&
    (from === undefined || at >= from.getTime()) &&
    (to === undefined || at <= to.getTime())
  );
}
