import type { Dependencies } from '../activities/dependencies.ts';
import { CONTROL_CONTAINER } from '../domain/control-paths.ts';
import type { RunSummary } from '../domain/run.ts';
import { catalogRowOf } from '../storage/catalog.ts';
import { ControlStore } from '../storage/control-store.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { answering, json } from './answering.ts';
import { vaultsOf } from './find-run.ts';

/** POST /api/catalog/rebuild — writes the catalog anew from the summaries in every vault. */
export function rebuildCatalogHandler(deps: Dependencies) {
  return answering(deps, async () => {
    let runs = 0;
    for (const alias of vaultsOf(deps)) {
      const control = new ControlStore(deps.blobs(alias));
      for await (const job of foldersBelow(deps, alias, 'jobs/')) {
        for await (const folder of foldersBelow(deps, alias, `${job}runs/`)) {
          const summary = await control.readJson<RunSummary>(`${folder}run.json`);
          if (!summary) continue;
          await deps.catalog(alias).put(catalogRowOf(summary.value));
          runs++;
        }
      }
    }
    return json(200, { runs });
  });
}

async function* foldersBelow(deps: Dependencies, alias: string, prefix: string): AsyncGenerator<string> {
  let marker: string | undefined;
  do {
    const options = { prefix, delimiter: '/', ...(marker !== undefined && { marker }) };
    try {
      const page = await deps.blobs(alias).listBlobs(CONTROL_CONTAINER, options);
      yield* page.prefixes;
      marker = page.next;
    } catch (error) {
      // A vault that no run has written to yet.
      if (isStorageError(error, 'container-not-found')) return;
      throw error;
    }
  } while (marker !== undefined);
}
