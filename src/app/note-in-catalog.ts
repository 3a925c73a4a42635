import type { CatalogRow } from '#storage/catalog.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { Dependencies } from './dependencies.ts';

/** Adds or replaces a run's row. The catalog is only an index: nothing is less done when it cannot be written. */
export async function noteInCatalog(deps: Dependencies, vault: string, row: CatalogRow): Promise<void> {
  try {
    await deps.catalog(vault).put(row);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    deps.telemetry.warn('catalog-not-written', { job: row.job, run: row.id, message: error.message });
  }
}
