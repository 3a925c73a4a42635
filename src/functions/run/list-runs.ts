import { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { type CatalogRow, catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, json, readQuery } from '../http/answering.ts';
import { foreignCursor } from '../http/http-error.ts';
import { vaultsOf } from './find-run.ts';

const query = z.strictObject({
  job: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional(),
});

/** Where the list of each vault that has more goes on. */
const cursorSchema = z.record(z.string(), z.string().min(1));

/** GET /api/runs — newest first, from the catalog of every vault. */
export function listRunsHandler(deps: Dependencies) {
  return answering(deps, async (request) => {
    const { job, limit, cursor } = readQuery(request, query);
    const vaults = vaultsOf(deps, job);
    const cursors = readCursor(cursor, vaults);
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
    const more = pages.flatMap((page) => ('next' in page && page.next ? [[page.vault, page.next]] : []));
    const next = more.length > 0 ? Buffer.from(JSON.stringify(Object.fromEntries(more))).toString('base64url') : null;
    return json(200, { runs, next });
  });
}

/** The row of a run that ended without a word to the catalog still says `running`; the lock and the summary know better. */
async function settled(deps: Dependencies, vault: string, row: CatalogRow): Promise<CatalogRow> {
  if (row.status !== 'running') return row;
  const control = new ControlStore(deps.blobs(vault));
  try {
    const lock = await control.readLock(row.job);
    if (lock?.value.run?.id === row.id) return row;
    const summary = await control.readSummary(row);
    return summary ? catalogRowOf(summary) : { ...row, status: 'failed' };
  } catch (error) {
    // One damaged object must not hide the other runs; asked for singly, the run tells what is wrong.
    if (isStorageError(error, 'damaged')) return row;
    throw error;
  }
}

function readCursor(cursor: string | undefined, vaults: string[]): Record<string, string> | undefined {
  if (cursor === undefined) return undefined;
  try {
    const value = cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    const names = Object.keys(value);
    if (names.length > 0 && names.every((vault) => vaults.includes(vault))) return value;
  } catch {
    // Told below like any other cursor that is not ours.
  }
  throw foreignCursor();
}
