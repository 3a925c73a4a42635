import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { type CatalogRow, catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, json, readQuery } from '../http/answering.ts';
import { foreignCursor } from '../http/http-error.ts';
import { readVaultCursors, writeVaultCursors } from '../http/vault-cursors.ts';
import { vaultsOf } from './find-run.ts';

const query = z.strictObject({
  job: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional(),
});

/** GET /api/runs — newest first, from the catalog of every vault. */
export function listRunsHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    const { job, limit, cursor } = readQuery(request, query);
    const vaults = vaultsOf(deps, job);
    const asked = ['runs', job];
    const cursors = readVaultCursors(cursor, vaults, asked);
    const pages = await Promise.all(
      vaults.map(async (vault) => {
        const from = cursors?.[vault];
        if (cursors && from === undefined) return { vault, rows: [] as CatalogRow[] };
        const options = { limit, ...(job && { job }), ...(from && { cursor: from }) };
        const page = await deps
          .catalog(vault)
          .list(options)
          .catch((error) => {
            throw from && isStorageError(error, 'invalid') ? foreignCursor() : error;
          });
        return { vault, ...page };
      }),
    );
    const runs = [];
    for (const { vault, rows } of pages) for (const row of rows) runs.push(await settled(deps, vault, row));
    runs.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
    return json(200, { runs, next: writeVaultCursors(pages, asked) });
  });
}

/** The row of a run that could not write to the catalog when it ended still says `running`. The vault decides. */
async function settled(deps: Dependencies, vault: string, row: CatalogRow): Promise<CatalogRow> {
  if (row.status !== 'running') return row;
  const control = new ControlStore(deps.blobs(vault));
  try {
    if (await control.findLockOf(row)) return row;
    const summary = await control.readSummary(row);
    return summary ? catalogRowOf(summary) : { ...row, status: 'failed' };
  } catch (error) {
    // One damaged object must not hide the other runs. GET /api/runs/{id} shows the damage.
    if (isStorageError(error, 'damaged')) return row;
    throw error;
  }
}
