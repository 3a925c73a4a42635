import type { Dependencies } from '../activities/dependencies.ts';
import type { RunSummary } from '../domain/run.ts';
import { catalogRowOf } from '../storage/catalog.ts';
import { ControlStore } from '../storage/control-store.ts';
import { answering, json } from './answering.ts';
import { vaultsOf } from './find-run.ts';

/** POST /api/catalog/rebuild — writes the catalog anew from the summaries in every vault. */
export function rebuildCatalogHandler(deps: Dependencies) {
  return answering(deps, async () => {
    let runs = 0;
    for (const alias of vaultsOf(deps)) {
      const control = new ControlStore(deps.blobs(alias));
      for await (const job of control.foldersBelow('jobs/')) {
        for await (const folder of control.foldersBelow(`${job}runs/`)) {
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
