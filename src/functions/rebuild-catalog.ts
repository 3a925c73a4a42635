import pLimit from 'p-limit';
import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { runsPrefix } from '#domain/run/control-paths.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, json, readBody } from './http/answering.ts';
import { HttpError } from './http/http-error.ts';
import { vaultsOf } from './run/find-run.ts';
import { catalogProblem } from './run/list-rows.ts';

/** Two requests for each run: at 40 ms, some 100,000 runs in the 230 s that Azure waits for an answer. */
const RUNS_AT_ONCE = 32;

const nothing = z.strictObject({});

interface Rebuilt {
  runs: number;
  damaged: string[];
}

/**
 * POST /api/catalog/rebuild — writes the catalog again from the summaries in every vault; names those it cannot read.
 */
export function rebuildCatalogHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    await readBody(request, nothing);
    const rebuilt: Rebuilt = { runs: 0, damaged: [] };
    for (const alias of vaultsOf(deps)) await rebuild(deps, alias, rebuilt);
    return json(200, rebuilt);
  });
}

async function rebuild(deps: Dependencies, alias: string, rebuilt: Rebuilt): Promise<void> {
  await assertUsable(deps, alias);
  const before = rebuilt.runs;
  const control = new ControlStore(deps.blobs(alias));
  const atOnce = pLimit(RUNS_AT_ONCE);
  for await (const folder of control.foldersBelow('jobs/')) {
    const job = folder.split('/')[1]!;
    const ids: string[] = [];
    for await (const run of control.foldersBelow(runsPrefix(job))) ids.push(run.split('/').at(-2)!);
    await Promise.all(ids.map((id) => atOnce(() => rebuildRow(deps, alias, control, { job, id }, rebuilt))));
  }
  if (rebuilt.runs > before) await deps.catalog(alias).markComplete();
}

async function rebuildRow(
  deps: Dependencies,
  alias: string,
  control: ControlStore,
  run: { job: string; id: string },
  rebuilt: Rebuilt,
): Promise<void> {
  try {
    const summary = await control.readSummary(run);
    if (!summary) return;
    await deps.catalog(alias).put(catalogRowOf(summary));
    rebuilt.runs++;
  } catch (error) {
    if (!isStorageError(error, 'damaged')) throw error;
    rebuilt.damaged.push(error.message);
  }
}

async function assertUsable(deps: Dependencies, alias: string): Promise<void> {
  try {
    await deps.catalog(alias).list({ limit: 1 });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // The first row makes the table.
    if (error.kind === 'container-not-found') return;
    const { code, message, hint } = catalogProblem(alias, error.message);
    throw new HttpError(isStorageError(error, 'unreachable', 'throttled') ? 503 : 502, code, message, hint);
  }
}
