import pLimit from 'p-limit';
import { runsPrefix } from '#domain/run/control-paths.ts';
import { type Catalog, type CatalogRow, catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { Dependencies } from './dependencies.ts';

/** A run writes the rows of this many earlier runs, if the table is new. More take a rebuild. */
const MOST_EARLIER = 100;
const SUMMARIES_AT_ONCE = 8;

/**
 * Adds or replaces the row of a run. The catalog is only an index: if it cannot be written, the run is not affected.
 */
export async function noteInCatalog(deps: Dependencies, vault: string, row: CatalogRow): Promise<void> {
  try {
    const catalog = deps.catalog(vault);
    const made = await catalog.put(row);
    if (made === 'created') await addEarlier(deps, vault, catalog, row.id);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    deps.telemetry.warn('catalog-not-written', { job: row.job, run: row.id, message: error.message });
  }
}

/** Adds the rows of earlier runs, if they are few: the table was deleted, or several runs are the first ones. */
async function addEarlier(deps: Dependencies, vault: string, catalog: Catalog, own: string): Promise<void> {
  const control = new ControlStore(deps.blobs(vault));
  const earlier: { job: string; id: string }[] = [];
  for await (const folder of control.foldersBelow('jobs/')) {
    const job = folder.split('/')[1]!;
    for await (const run of control.foldersBelow(runsPrefix(job))) {
      const id = run.split('/').at(-2)!;
      if (id !== own) earlier.push({ job, id });
      if (earlier.length > MOST_EARLIER) return;
    }
  }
  const atOnce = pLimit(SUMMARIES_AT_ONCE);
  await Promise.all(earlier.map((run) => atOnce(() => addEnded(control, catalog, run))));
  await catalog.markComplete();
}

/** A run without a summary adds its own row when it ends. */
async function addEnded(control: ControlStore, catalog: Catalog, run: { job: string; id: string }): Promise<void> {
  const summary = await control.readSummary(run).catch((error) => {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  });
  if (summary) await catalog.put(catalogRowOf(summary));
}
