import type { Dependencies } from '#app/dependencies.ts';
import { defined } from '#domain/run/defined.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { isJobName } from '#domain/run/run-id.ts';
import { type CatalogPage, type CatalogRow, isChosenRow } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { foreignCursor } from '../http/http-error.ts';
import { differenceIn, type PageEnd, pageEnd } from './catalog-difference.ts';
import { cursorUpTo, isOfVault, rowsOfVault, type WantedRows } from './rows-of-vault.ts';

/** Why lists come from the vault itself. */
export interface CatalogProblem {
  code: 'catalog-unavailable' | 'catalog-differs';
  account: string;
  message: string;
  hint: string;
}

export interface RowPage {
  rows: CatalogRow[];
  next?: string;
  problem?: CatalogProblem;
}

/** Where the next page of a catalog starts: its own cursor, and where the page before ended. */
interface Position {
  cursor: string;
  end?: PageEnd;
}

/**
 * A page of the runs in a vault, newest first: from the catalog, if the listings of runs show that it has neither less
 * nor more than the vault. That takes one request for each job, and one for the list of jobs. Otherwise, and without a
 * catalog, from the summaries, which costs a request for each run of the page. A list that has begun from the vault
 * ends so. A page has those of its runs that are chosen, so that all of them are compared.
 */
export async function listRows(deps: Dependencies, vault: string, wanted: WantedRows): Promise<RowPage> {
  // Its characters may be none that a listing takes.
  if (wanted.choice.job !== undefined && !isJobName(wanted.choice.job)) return { rows: [] };
  const page = await pageOf(deps, vault, wanted);
  return { ...page, rows: page.rows.filter((row) => isChosenRow(row, wanted.choice)) };
}

async function pageOf(deps: Dependencies, vault: string, wanted: WantedRows): Promise<RowPage> {
  const control = new ControlStore(deps.blobs(vault));
  if (wanted.cursor !== undefined && isOfVault(wanted.cursor)) return rowsOfVault(control, wanted);
  const from = wanted.cursor === undefined ? undefined : positionIn(wanted.cursor);
  const page = await rowsOfCatalog(deps, vault, wanted, from);
  if ('why' in page) return withoutCatalog(control, vault, wanted, page);
  const before = from?.end;
  const difference = await differenceOf(deps, vault, wanted, { page, from });
  if (difference !== undefined) {
    const rest = { ...wanted, cursor: before && cursorUpTo(before.second) };
    const listed = await rowsOfVault(control, rest, before?.ids);
    return { ...listed, problem: catalogProblem(vault, 'catalog-differs', difference) };
  }
  if (page.next === undefined) return page;
  const next: Position = { cursor: page.next, ...defined({ end: pageEnd({ rows: page.rows, before }) }) };
  return { rows: page.rows, next: JSON.stringify(next) };
}

/** How a page of the catalog differs from the vault; undefined if it does not. */
async function differenceOf(
  deps: Dependencies,
  vault: string,
  wanted: WantedRows,
  { page, from }: { page: CatalogPage; from?: Position | undefined },
): Promise<string | undefined> {
  const control = new ControlStore(deps.blobs(vault));
  const isLast = page.next === undefined;
  const differs = (rows: CatalogRow[]) =>
    differenceIn(control, wanted.choice, { rows, isLast, before: from?.end }, deps.now());
  if ((await differs(page.rows)) === undefined) return undefined;
  // A run may have begun since: its row is older than anything that it leaves in the vault.
  const again = await rowsOfCatalog(deps, vault, wanted, from);
  return differs(joined('why' in again ? [] : again.rows, page.rows));
}

/** Whether a page of the newest runs in a catalog differs from the vault. */
export async function newestDiffer(deps: Dependencies, vault: string, page: CatalogPage): Promise<boolean> {
  const wanted: WantedRows = { choice: { runsOnly: true }, limit: page.rows.length || 1 };
  return (await differenceOf(deps, vault, wanted, { page })) !== undefined;
}

/** Each row once, the newest first. */
function joined(newer: CatalogRow[], older: CatalogRow[]): CatalogRow[] {
  const known = new Set(newer.map(({ id }) => id));
  return [...newer, ...older.filter(({ id }) => !known.has(id))];
}

/**
 * A page as the catalog has it, for sums and estimates: not compared with the vault. Without a catalog, it comes from
 * the vault.
 */
export async function uncheckedRows(deps: Dependencies, vault: string, wanted: WantedRows): Promise<RowPage> {
  const { cursor } = wanted;
  const control = new ControlStore(deps.blobs(vault));
  if (cursor !== undefined && isOfVault(cursor)) return rowsOfVault(control, wanted);
  const page = await rowsOfCatalog(deps, vault, wanted, cursor === undefined ? undefined : { cursor });
  return 'why' in page ? withoutCatalog(control, vault, wanted, page) : page;
}

/** The first run of a vault makes the table. */
async function withoutCatalog(
  control: ControlStore,
  vault: string,
  wanted: WantedRows,
  { why, isMissing }: NoPage,
): Promise<RowPage> {
  const listed = await rowsOfVault(control, wanted);
  const isNew = isMissing && listed.rows.length === 0;
  return isNew ? listed : { ...listed, problem: catalogProblem(vault, 'catalog-unavailable', why) };
}

function positionIn(cursor: string): Position {
  try {
    return JSON.parse(cursor);
  } catch {
    // Of another version of the app.
    throw foreignCursor();
  }
}

interface NoPage {
  why: string;
  isMissing?: boolean;
}

/** A page as the catalog has it, or why it has none. */
async function rowsOfCatalog(
  deps: Dependencies,
  vault: string,
  { choice, limit }: WantedRows,
  from: Position | undefined,
): Promise<CatalogPage | NoPage> {
  try {
    const { job, runsOnly, from: since, to } = choice;
    const query = defined({ job, runsOnly, from: since, to, cursor: from?.cursor });
    const page = await deps.catalog(vault).list({ limit, ...query });
    return page.incomplete ? { why: 'The catalog may lack runs from before its table was created' } : page;
  } catch (error) {
    if (!isStorageError(error)) throw error;
    if (from !== undefined) throw error.kind === 'invalid' ? foreignCursor() : error;
    return { why: error.message, isMissing: error.kind === 'container-not-found' };
  }
}

/** The problems of pages, as lists show them: nothing, if there are none. */
export function catalogProblems(pages: readonly Pick<RowPage, 'problem'>[]): { problems?: CatalogProblem[] } {
  const problems = pages.flatMap(({ problem }) => problem ?? []);
  return problems.length > 0 ? { problems } : {};
}

export function catalogProblem(account: string, code: CatalogProblem['code'], message: string): CatalogProblem {
  return { code, account, message, hint: PROBLEMS[code].hint };
}
