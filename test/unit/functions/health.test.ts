import type { HttpRequest, InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, test, vi } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { CONTROL_CONTAINER, lockPath } from '#domain/run/control-paths.ts';
import { release } from '#domain/run/lock.ts';
import { healthHandler } from '#functions/health.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { StorageError } from '#storage/storage-error.ts';
import { BACKUP, Vault } from '../../support/builders/prune-vault.ts';

vi.stubGlobal('STRONGROOM_VERSION', '0');

/** A vault with a restore point, and what health says of it. */
async function room() {
  const vault = new Vault();
  vault.put('a', 'a');
  const given = vault.deps();
  const accounts = new Map(['SOURCE', 'VAULT'].map((alias) => [alias, {}]));
  const deps = { ...given, configuration: { ...given.configuration, accounts } } as unknown as Dependencies;
  const summary = await vault.backup();
  const lock = (await vault.control.readLock('nightly'))!;
  const free = release(lock.value, new Date(vault.clock.app), { last: summary.id, point: summary.id });
  await vault.control.writeJson(lockPath('nightly'), free, { ifMatch: lock.etag });
  const handler = healthHandler(deps);
  const requests: string[] = [];
  vault.before = ({ operation }) => requests.push(operation);
  const ask = async () => {
    requests.length = 0;
    const context = { functionName: 'f' } as InvocationContext;
    const answer = await handler({} as HttpRequest, {} as DurableClient, context);
    return { status: answer.status, body: JSON.parse(answer.body as string), requests: [...requests] };
  };
  return { vault, deps, ask, row: catalogRowOf(summary) };
}

test('health looks at what a start would meet, and asks for a summary once', async () => {
  const { ask } = await room();
  expect(await ask()).toMatchObject({ status: 200, body: { status: 'ok', jobs: [{ problem: null }] } });
  const again = await ask();
  expect(again.status).toBe(200);
  // The lock of the job, and the pauses of the vault.
  expect(again.requests.filter((operation) => operation === 'GetBlob')).toHaveLength(2);
});

test('a damaged lock is not ok', async () => {
  const { vault, ask } = await room();
  vault.alter(lockPath('nightly'), () => Buffer.from('{'));
  expect(await ask()).toMatchObject({
    status: 503,
    body: {
      status: 'degraded',
      jobs: [{ problem: { code: 'damaged', message: expect.stringContaining(lockPath('nightly')) } }],
    },
  });
});

test('a backup container that was deleted is not ok', async () => {
  const { vault, ask } = await room();
  vault.vault.deleteContainer(BACKUP);
  expect(await ask()).toMatchObject({
    status: 503,
    body: { jobs: [{ problem: { code: 'content-missing', message: expect.stringContaining(`needs "${BACKUP}"`) } }] },
  });
});

test('a control container that was deleted is not ok, if there were runs', async () => {
  const { vault, deps, ask, row } = await room();
  await deps.catalog('VAULT').put(row);
  vault.vault.deleteContainer(CONTROL_CONTAINER);
  expect(await ask()).toMatchObject({
    status: 503,
    body: { accounts: [{ status: 'ok' }, { alias: 'VAULT', status: 'failed', code: 'content-missing' }] },
  });
});

test('a catalog table that was deleted is reported, and keeps nothing from working', async () => {
  const { deps, ask } = await room();
  const list = async () => {
    throw new StorageError('container-not-found', 'No table', 404, 'TableNotFound');
  };
  deps.catalog = () => ({ list }) as never;
  expect(await ask()).toMatchObject({
    status: 200,
    body: { accounts: [{}, { status: 'ok', catalog: { code: 'catalog-unavailable' } }] },
  });
});
