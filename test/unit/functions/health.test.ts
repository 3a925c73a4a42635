import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { expect, test, vi } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { type Access, hashOf } from '#config/access.ts';
import { CONTROL_CONTAINER, lockPath } from '#domain/run/control-paths.ts';
import { release } from '#domain/run/lock.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { healthDetailsHandler, healthHandler } from '#functions/health.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { httpRequest } from '../../support/builders/http-request.ts';
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
  const handler = healthDetailsHandler(deps);
  const requests: string[] = [];
  vault.before = ({ operation }) => requests.push(operation);
  const ask = async () => {
    requests.length = 0;
    const context = { functionName: 'f' } as InvocationContext;
    const answer = await handler(httpRequest(), {} as DurableClient, context);
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
    body: {
      accounts: [{ status: 'ok' }, { alias: 'VAULT', status: 'failed', code: 'content-missing' }],
      jobs: [{ problem: { code: 'content-missing' } }],
    },
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

const KEY = 'a long and random text';
const context = { functionName: 'f' } as InvocationContext;

/** What health says to an observer. */
function observe(deps: Dependencies) {
  const keys = [{ name: 'monitor', role: 'observer' as const, sha256: hashOf(KEY) }];
  const access: Access = { mode: 'keys', keys, roles: new Map() };
  const observed = { ...deps, configuration: { ...deps.configuration, access } };
  const request = httpRequest({ headers: { 'x-functions-key': KEY } });
  return healthDetailsHandler(observed)(request, {} as DurableClient, context);
}

test('an observer sees what is wrong, and no name of a container', async () => {
  const { vault, deps } = await room();
  vault.vault.deleteContainer(BACKUP);
  const { status, body } = await observe(deps);
  expect(status).toBe(503);
  const { meaning } = PROBLEMS['content-missing'];
  expect(JSON.parse(body as string)).toMatchObject({
    jobs: [{ problem: { code: 'content-missing', message: meaning } }],
  });
  expect(body).not.toContain(BACKUP);
});

test('a pause shows, and its reason and who made it only to those who may see names', async () => {
  const { vault, deps, ask } = await room();
  const pause = { at: '2026-05-01T00:00:00.000Z', reason: 'a move', by: { name: 'ci', via: 'key' as const } };
  await new WatchStore(vault.deps().blobs('VAULT')).changePause('nightly', () => pause);
  const { at: since, ...rest } = pause;
  expect((await ask()).body.jobs[0]).toMatchObject({ next: null, paused: { since, until: null, ...rest } });
  const { body } = await observe(deps);
  expect(JSON.parse(body as string).jobs[0].paused).toEqual({ since, until: null });
});

test('anyone sees the status only, and many callers ask the accounts once', async () => {
  const { vault, deps } = await room();
  const handler = healthHandler(deps);
  let requests = 0;
  vault.before = () => {
    requests++;
  };
  const ask = () => handler(httpRequest(), {} as DurableClient, context);
  const first = await Promise.all([ask(), ask(), ask()]);
  expect(first.map(({ body }) => JSON.parse(body as string))).toEqual(Array(3).fill({ status: 'ok', version: '0' }));
  const once = requests;
  vault.vault.deleteContainer(BACKUP);
  expect((await ask()).status).toBe(200);
  expect(requests).toBe(once);
  vault.clock.app += 20_000;
  expect(JSON.parse((await ask()).body as string)).toEqual({ status: 'degraded', version: '0' });
});

test('a catalog that lacks a run is reported, and keeps nothing from working', async () => {
  const { deps, ask, row } = await room();
  expect(await ask()).toMatchObject({
    status: 200,
    body: { accounts: [{}, { status: 'ok', catalog: { code: 'catalog-differs' } }] },
  });
  await deps.catalog('VAULT').put(row);
  const { body } = await ask();
  expect(body.accounts[1]).toEqual({ alias: 'VAULT', status: 'ok' });
});

test('a vault that has only the mark of a schedule misses no table yet', async () => {
  const { vault, deps, ask } = await room();
  vault.vault.deleteContainer(CONTROL_CONTAINER);
  const about = { what: 'backup', schedule: '0 0 12 * * * UTC', at: new Date(vault.clock.app) } as const;
  await vault.control.beginSchedule('nightly', about, new Date(vault.clock.app));
  const list = async () => {
    throw new StorageError('container-not-found', 'No table', 404, 'TableNotFound');
  };
  deps.catalog = () => ({ list }) as never;
  const { status, body } = await ask();
  expect(status).toBe(200);
  expect(body.accounts[1]).not.toHaveProperty('catalog');
});
