import type { Dependencies } from '#app/dependencies.ts';
import { isBackup, type RunMode, type RunRef } from '#domain/run/run.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** How many runs one page of the catalog has. */
const ROWS = 50;

/**
 * How many of the last runs of a job left a restore point by the catalog. A backup asks if the vault knows none before
 * it: prunes keep the last one, so then the control container has been deleted. Without the catalog, nothing shows
 * that.
 */
export async function pointsInCatalog(deps: Dependencies, vault: string, run: RunRef): Promise<number> {
  try {
    const { rows } = await deps.catalog(vault).list({ job: run.job, runsOnly: true, limit: ROWS });
    return rows.filter((row) => row.id !== run.id && leftPoint(row)).length;
  } catch (error) {
    if (isStorageError(error)) return 0;
    throw error;
  }
}

function leftPoint({ mode, dryRun, status }: CatalogRow): boolean {
  return isBackup(mode as RunMode) && !dryRun && (status === 'succeeded' || status === 'completed-with-failures');
}
