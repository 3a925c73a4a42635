import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, expect, test } from 'vitest';
import { pointsInCatalog } from '#activities/run/points-in-catalog.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { noteInCatalog } from '#app/note-in-catalog.ts';
import type { RunRef } from '#domain/run/run.ts';
import { missedStartId } from '#domain/watch/missed-start.ts';
import { listRestorePointsHandler } from '#functions/restore-points/list-restore-points.ts';
import { getRunHandler } from '#functions/run/get-run.ts';
import { listRunsHandler } from '#functions/run/list-runs.ts';
import { startRunHandler } from '#functions/run/start-run.ts';
import { catalogRowOf, NOT_STARTED } from '#storage/catalog.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { Vault } from '../../../support/builders/prune-vault.ts';

let deps: Dependencies;

const client = {
  getStatus: async () => ({ runtimeStatus: 'Running' }),
  startNew: async () => {},
} as unknown as DurableClient;

async function ask(handler: typeof startRunHandler, given: Parameters<typeof httpRequest>[0]) {
  const answer = await handler(deps)(httpRequest(given), client, { functionName: 'f' } as InvocationContext);
  return JSON.parse(String(answer.body));
}

/** A job with one backup of two blobs, and more starts that were not made since than any list reads at once. */
beforeEach(async () => {
  const vault = new Vault();
  deps = vault.deps();
  for (const name of ['a', 'b']) vault.put(name, name);
  const row = catalogRowOf(await vault.backup());
  await noteInCatalog(deps, 'VAULT', row);
  for (let hour = 1; hour <= 300; hour++) {
    const due = new Date(Date.parse(row.startedAt) + hour * 3_600_000);
    const about = { id: missedStartId('nightly', 'backup', due), startedAt: due.toISOString() };
    await deps.catalog('VAULT').put({ ...row, ...about, status: NOT_STARTED, counts: {} });
  }
  vault.pass(301);
});

test('a run in progress expects what the last backup listed, however many starts were not made since', async () => {
  const { id } = await ask(startRunHandler, { params: { job: 'nightly' } });
  expect((await ask(getRunHandler, { params: { id } })).progress).toMatchObject({ fraction: 0 });
});

test('a restore point is listed on the first page, however many starts were not made since', async () => {
  expect((await ask(listRestorePointsHandler, { query: { limit: '1' } })).restorePoints).toHaveLength(1);
});

test('the catalog has the restore points of a job, however many starts were not made since', async () => {
  const run = { id: 'next', job: 'nightly' } as RunRef;
  expect(await pointsInCatalog(deps, 'VAULT', run)).toBe(1);
});

test('the list of runs has the starts that were not made, and does not miss their runs in the vault', async () => {
  const { runs, problems } = await ask(listRunsHandler, { query: { limit: '400' } });
  expect(runs).toHaveLength(301);
  expect(problems).toBeUndefined();
  const { runs: missed } = await ask(listRunsHandler, { query: { limit: '2', status: NOT_STARTED } });
  expect(missed).toMatchObject([{ status: NOT_STARTED }, { status: NOT_STARTED }]);
});
