import type { Dependencies } from '#app/dependencies.ts';
import { type HeldContent, sumOfHeld } from '#domain/run/held-content.ts';
import type { CatalogRow, RowChoice } from '#storage/catalog.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { inTime } from './in-time.ts';

/** Some runs of a vault, as its catalog has them, newest first. */
export interface PastRuns {
  rows: CatalogRow[];
  /** When the first of them began, if earlier ones may be missing. */
  since?: Date;
}

/** Undefined if the catalog does not answer. */
export type PastOf = (vault: string) => Promise<PastRuns | undefined>;

/** What a job held when a prune was planned. */
export type HeldAt = HeldContent & { at: string };

/** What is newer than that, a list of the newest runs has. */
const SHARED_MS = 5 * 60_000;
const PATIENCE_MS = 5_000;
/** A day more than an overview shows: the days of time zones differ. */
const DAYS = 31;
const DAY_MS = 24 * 3_600_000;
const ROWS_OF_PAGE = 999;
const MOST_PAGES = 5;

/** The backups of the last 31 days: one request for each 999, and at most five, in five minutes. */
export function pastBackups(deps: Dependencies): PastOf {
  return pastRuns(deps, MOST_PAGES, () => {
    const from = new Date(deps.now().getTime() - DAYS * DAY_MS);
    return { modes: ['full', 'incremental', 'retry'], dryRun: false, from };
  });
}

/** The last prunes and restores, which may be rare: at most two requests in five minutes. */
export function pastPrunesAndRestores(deps: Dependencies): PastOf {
  return pastRuns(deps, 2, () => ({ modes: ['prune', 'restore'] }));
}

function pastRuns(deps: Dependencies, pages: number, choice: () => RowChoice): PastOf {
  const shared = new SharedAnswers<PastRuns>(deps, SHARED_MS);
  return (vault) => {
    const asked = shared
      .get([vault], () => readRuns(deps, vault, { runsOnly: true, ...choice() }, pages))
      .catch((error) => {
        if (isStorageError(error)) return undefined;
        throw error;
      });
    return inTime(asked, PATIENCE_MS);
  };
}

async function readRuns(deps: Dependencies, vault: string, choice: RowChoice, pages: number): Promise<PastRuns> {
  const rows: CatalogRow[] = [];
  let isWhole = true;
  let cursor: string | undefined;
  for (let page = 0; page < pages; page++) {
    const found = await deps.catalog(vault).list({
      ...{ ...choice, limit: ROWS_OF_PAGE },
      ...(cursor !== undefined && { cursor }),
    });
    rows.push(...found.rows);
    // A table that was made again may lack the first runs.
    if (found.incomplete) isWhole = false;
    cursor = found.next;
    if (cursor === undefined) break;
  }
  if (isWhole && cursor === undefined) return { rows };
  return { rows, since: rows.length > 0 ? new Date(rows.at(-1)!.startedAt) : deps.now() };
}

/** With rows that may be newer, or that it has too: those say more. */
export function withNewest(past: PastRuns | undefined, newest: readonly CatalogRow[]): CatalogRow[] {
  const all = [...(past?.rows ?? []), ...newest].map((row): [string, CatalogRow] => [row.id, row]);
  return [...new Map(all).values()];
}

/** What each job held when its newest prune was planned that knew. */
export function heldByJobs(rows: readonly CatalogRow[]): Map<string, HeldAt> {
  const found = new Map<string, HeldAt>();
  for (const { job, startedAt, held } of rows) {
    if (held && (found.get(job)?.at ?? '') < startedAt) found.set(job, { ...held, at: startedAt });
  }
  return found;
}

/** The sum, with the time of the oldest; undefined if that of one job is not known. */
export function heldTogether(jobs: readonly (HeldAt | undefined)[]): HeldAt | undefined {
  const sum = sumOfHeld(jobs);
  const [oldest] = jobs.flatMap((each) => each?.at ?? []).sort();
  return sum && oldest !== undefined ? { ...sum, at: oldest } : undefined;
}
