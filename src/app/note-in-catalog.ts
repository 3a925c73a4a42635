import type { CatalogRow } from '#storage/catalog.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { Dependencies } from './dependencies.ts';

/**
 * Adds or replaces the row of a run. The catalog is only an index: if it cannot be written, the run is not affected.
 */
export async function noteInCatalog(deps: Dependencies, vault: string, row: CatalogRow): Promise<void> {
  try {
    await deps.catalog(vault).put(row);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    deps.telemetry.warn('catalog-not-written', { job: row.job, run: row.id, message: error.message });
  }
}
