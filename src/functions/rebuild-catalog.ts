import type { Dependencies } from '#app/dependencies.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, json } from './http/answering.ts';
import { vaultsOf } from './run/find-run.ts';

/**
 * POST /api/catalog/rebuild — writes the catalog again from the summaries in every vault; names those it cannot read.
 */
export function rebuildCatalogHandler(deps: Dependencies) {
  return answering(deps, async () => {
    let runs = 0;
    const damaged: string[] = [];
    for (const alias of vaultsOf(deps)) {
      const control = new ControlStore(deps.blobs(alias));
      for await (const job of control.foldersBelow('jobs/')) {
        for await (const folder of control.foldersBelow(`${job}runs/`)) {
          const [, of, , id] = folder.split('/');
          try {
            const summary = await control.readSummary({ job: of!, id: id! });
            if (!summary) continue;
            await deps.catalog(alias).put(catalogRowOf(summary));
            runs++;
          } catch (error) {
            if (!isStorageError(error, 'damaged')) throw error;
            damaged.push(error.message);
          }
        }
      }
    }
    return json(200, { runs, damaged });
  });
}
