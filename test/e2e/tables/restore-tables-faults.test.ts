import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { rawEntities, seed } from '../../support/builders/tables.ts';
import { DROP, type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../support/faults/fault-proxy.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let dataDir: string;
let app: Strongroom | undefined;

const COUNT = 2_000;

const start = async () => {
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    jobs: [
      {
        name: 'nightly',
        source: { account: 'SOURCE', tables: ['orders'] },
        destination: { account: 'VAULT' },
      },
    ],
    dataDir,
    limits: { sliceBlobs: 300, chunkBlobs: 300, sliceChunks: 2, retryDelayMs: 10 },
  });
  return app;
};

beforeEach(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  const tables = /TableEndpoint=([^;]+)/.exec(source.connectionString)![1]!;
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin, { tables });
  dataDir = mkdtempSync(join(tmpdir(), 'strongroom-restore-tables-'));
  const rows = Array.from({ length: COUNT }, (_, n) => ({
    partitionKey: `p${Math.floor(n / 450)}`,
    rowKey: String(n).padStart(6, '0'),
    n,
  }));
  await seed(source.connectionString, 'orders', rows);
});

afterEach(async () => {
  await app?.host.stop();
  app = undefined;
  await proxy.stop();
});

const startRestore = async (room: Strongroom, body: object = {}) => {
  const answer = await room.call('POST', '/api/restores', { target: { table: 'back' }, ...body });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body.id;
};
const isWrite = ({ method, service }: ProxiedRequest) => service === 'table' && method === 'POST';
const isTransaction = ({ path }: ProxiedRequest) => path.endsWith('/$batch');

test('answers that are lost, and a service that is busy, cost nothing and are told of nowhere', async () => {
  const room = await start();
  await room.run();
  let transactions = 0;
  proxy.rules.push(
    {
      match: (request) => isTransaction(request) && transactions++ % 3 === 0,
      after: () => DROP,
    },
    {
      match: (request) => isTransaction(request) && transactions % 5 === 0,
      answer: () => ({ status: 503, headers: { 'retry-after': '0' }, body: '' }),
    },
  );
  const report = await room.ended(await startRestore(room));
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: COUNT, copied: COUNT, failed: 0 } });
  expect(transactions).toBeGreaterThan(20);
  expect(await rawEntities(source.connectionString, 'back')).toEqual(
    await rawEntities(source.connectionString, 'orders'),
  );
});

test('killed at each of its steps, it carries on where it was, and each entity is there once', async () => {
  let room = await start();
  await room.run();
  proxy.rules.push({ match: isTransaction, before: () => sleep(100) });
  const id = await startRestore(room);
  // While the files are read, before and after the first entities are written, and in the midst of it.
  for (const written of [0, 1, 6, 12]) {
    const before = proxy.requests.length;
    const current = room;
    const isReached = async () =>
      proxy.requests.slice(before).filter(isTransaction).length >= written ||
      (await current.report(id)).status !== 'running';
    await expect.poll(isReached, { timeout: 30_000, interval: 5 }).toBe(true);
    await room.host.kill();
    room = await start();
  }
  const report = await room.ended(id);
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: COUNT, copied: COUNT, failed: 0 } });
  expect(await rawEntities(source.connectionString, 'back')).toEqual(
    await rawEntities(source.connectionString, 'orders'),
  );
});

test('what was denied is brought by a retry', async () => {
  const room = await start();
  await room.run();
  proxy.rules.push({
    match: (request) => isWrite(request) && isTransaction(request),
    answer: () => ({
      status: 403,
      headers: { 'x-ms-error-code': 'AuthorizationPermissionMismatch', 'content-type': 'application/json' },
      body: '{"odata.error":{"code":"AuthorizationPermissionMismatch","message":{"lang":"en-US","value":"Not you"}}}',
    }),
  });
  const id = await startRestore(room);
  const denied = await room.ended(id);
  expect(denied).toMatchObject({ status: 'completed-with-failures', counts: { copied: 0, failed: COUNT } });
  expect(denied.problems.map(({ code }) => code)).toEqual(['access-denied-target']);
  proxy.rules.length = 0;
  const answer = await room.call('POST', `/api/runs/${id}/retry`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  const retried = await room.ended(answer.body.id);
  expect(retried).toMatchObject({ status: 'succeeded', counts: { listed: COUNT, copied: COUNT, failed: 0 } });
});
