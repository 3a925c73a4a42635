import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, test } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import { rebuildCatalogHandler } from '#functions/rebuild-catalog.ts';
import { listRunsHandler } from '#functions/run/list-runs.ts';
import { type Catalog, type CatalogRow, catalogRowOf, startedRow } from '#storage/catalog.ts';
import { StorageError } from '#storage/storage-error.ts';
import { httpRequest } from '../../support/builders/http-request.ts';
import { Vault } from '../../support/builders/prune-vault.ts';

/** A table that can be deleted. */
class Table implements Catalog {
  rows: Map<string, CatalogRow> | undefined;
  isComplete = false;

  async put(row: CatalogRow) {
    const made = this.rows === undefined ? 'created' : undefined;
    this.rows ??= new Map();
    this.rows.set(row.id, row);
    return made;
  }

  async empty({ id }: CatalogRow) {
    this.rows?.delete(id);
  }

  async markComplete() {
    this.isComplete = true;
  }

  async list({ limit }: { limit: number }) {
    if (!this.rows) throw new StorageError('container-not-found', 'The table is not there', 404, 'TableNotFound');
    const rows = [...this.rows.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? 1 : -1));
    const next = rows.length > limit ? { next: 'more' } : {};
    return { rows: rows.slice(0, limit), ...next, ...(!this.isComplete && { incomplete: true as const }) };
  }

  delete() {
    this.rows = undefined;
    this.isComplete = false;
  }
}

const keyOf = ({ startedAt, id }: CatalogRow) => `${startedAt} ${id}`;

async function room(runs: number) {
  const vault = new Vault();
  const table = new Table();
  const deps = { ...vault.deps(), catalog: () => table } as unknown as Dependencies;
  const client = { getStatus: async () => ({ runtimeStatus: 'Running' }) } as unknown as DurableClient;
  const context = { functionName: 'f' } as InvocationContext;
  const call = async (handler: (deps: Dependencies) => ReturnType<typeof listRunsHandler>) => {
    const { body } = await handler(deps)(httpRequest(), client, context);
    return JSON.parse(body as string) as { runs: { id: string }[]; problems?: { code: string }[] };
  };
  vault.put('a', 'a');
  for (let run = 0; run < runs; run++) {
    await noteInCatalog(deps, 'VAULT', catalogRowOf(await vault.backup()));
  }
  return { vault, table, deps, call };
}

test('a vault without a run has an empty list, and misses no table', async () => {
  const { call } = await room(0);
  expect(await call(listRunsHandler)).toEqual({ runs: [], next: null });
});

test('the first run of a vault makes a complete table', async () => {
  const { table, call } = await room(1);
  expect(table.isComplete).toBe(true);
  expect(await call(listRunsHandler)).not.toHaveProperty('problems');
});

test('a table that was deleted is no empty list: the list comes from the vault, and says so', async () => {
  const { table, call } = await room(3);
  table.delete();
  expect(await call(listRunsHandler)).toMatchObject({
    runs: [{}, {}, {}],
    problems: [{ code: 'catalog-unavailable', message: 'The table is not there' }],
  });
});

test('the next run makes the table again with the earlier runs', async () => {
  const { vault, table, deps, call } = await room(3);
  table.delete();
  await noteInCatalog(deps, 'VAULT', startedRow(await vault.begin({ mode: 'full' })));
  expect(table.rows?.size).toBe(4);
  expect(table.isComplete).toBe(true);
  expect(await call(listRunsHandler)).not.toHaveProperty('problems');
});

test('with many earlier runs, lists come from the vault until a rebuild', async () => {
  const { vault, table, deps, call } = await room(1);
  const body = vault.vault.blob('strongroom', `jobs/nightly/runs/${[...table.rows!.keys()][0]}/run.json`)!.body;
  for (let run = 0; run < 101; run++) {
    const id = `nightly-20260401T000000Z-${String(run).padStart(6, '0')}`;
    const summary = Buffer.from(
      JSON.stringify({ ...JSON.parse(String(body)), id, startedAt: '2026-04-01T00:00:00.000Z' }),
    );
    vault.vault.write('strongroom', { name: `jobs/nightly/runs/${id}/run.json`, body: summary });
  }
  table.delete();
  await noteInCatalog(deps, 'VAULT', startedRow(await vault.begin({ mode: 'full' })));
  expect(table.rows?.size).toBe(1);
  const listed = await call(listRunsHandler);
  expect(listed.runs).toHaveLength(50);
  expect(listed.problems).toMatchObject([{ code: 'catalog-unavailable' }]);
  await call(rebuildCatalogHandler);
  expect(await call(listRunsHandler)).not.toHaveProperty('problems');
});
