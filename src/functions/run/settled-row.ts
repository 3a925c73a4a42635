import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { problemOf } from '#domain/run/problems.ts';
import { type CatalogRow, catalogRowOf, rowProblem } from '#storage/catalog.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { HttpError } from '../http/http-error.ts';
import { findRun } from './find-run.ts';

/**
 * The row of a run that could not write to the catalog when it ended still says `running`. The vault and the state of
 * its orchestration decide, as for GET /api/runs/{id}.
 */
export async function settledRow(deps: Dependencies, client: DurableClient, row: CatalogRow): Promise<CatalogRow> {
  if (row.status !== 'running') return row;
  try {
    const found = await findRun(deps, client, row.id);
    if (found.state === 'ended') return catalogRowOf(found.summary);
    return found.state === 'running' ? row : lostRow(row);
  } catch (error) {
    // Of a run that never began, the vault has nothing.
    if (error instanceof HttpError && error.code === 'run-not-found') return lostRow(row);
    // A prune has removed it since: it was not lost.
    if (error instanceof HttpError) return row;
    // One damaged object must not hide the other runs. GET /api/runs/{id} shows the damage.
    if (isStorageError(error, 'damaged')) return row;
    throw error;
  }
}

function lostRow(row: CatalogRow): CatalogRow {
  return { ...row, status: 'failed', problem: rowProblem(problemOf('run-lost', 0)), problems: 1 };
}
