import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import type { Strongroom } from '../../support/app/strongroom.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { rawEntities, seed } from '../../support/builders/tables.ts';
import { DROP, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';

const COUNT = 2_000;

const bed = useTestBed({
  tables: true,
  app: {
    job: { source: { account: 'SOURCE', tables: ['orders'] }, destination: { account: 'VAULT' } },
    limits: { sliceBlobs: 300, chunkBlobs: 300, sliceChunks: 2, retryDelayMs: 10 },
  },
});

beforeEach(async () => {
  const rows = Array.from({ length: COUNT }, (_, n) => ({
    partitionKey: `p${Math.floor(n / 450)}`,
    rowKey: String(n).padStart(6, '0'),
    n,
  }));
  await seed(bed.source.connectionString, 'orders', rows);
});

const restoreTo = (app: Strongroom) => app.begin('/api/restores', { target: { table: 'back' } });
const isWrite = ({ method, service }: ProxiedRequest) => service === 'table' && method === 'POST';
const isTransaction = ({ path }: ProxiedRequest) => path.endsWith('/$batch');

test('a restore of a table succeeds and reports no problem when answers are lost and the service is busy', async () => {
  const app = await bed.start();
  await app.run();
  let transactions = 0;
  // So few that chance cannot give one transaction a fault in each of its attempts.
  const FAULTY = 10;
  bed.proxy.rules.push(
    {
      match: (request) => isTransaction(request) && transactions++ % 3 === 0 && transactions <= FAULTY,
      after: () => DROP,
    },
    {
      match: (request) => isTransaction(request) && transactions % 5 === 0 && transactions <= FAULTY,
      answer: () => ({ status: 503, headers: { 'retry-after': '0' }, body: '' }),
    },
  );
  const report = await app.ended(await restoreTo(app));
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: COUNT, copied: COUNT, failed: 0 } });
  expect(transactions).toBeGreaterThan(20);
  expect(await rawEntities(bed.source.connectionString, 'back')).toEqual(
    await rawEntities(bed.source.connectionString, 'orders'),
  );
});

test('a restore of a table that is killed at each of its steps continues and writes each entity once', async () => {
  let app = await bed.start();
  await app.run();
  bed.proxy.rules.push({ match: isTransaction, before: () => sleep(100) });
  const id = await restoreTo(app);
  // While it reads the files, before and after it writes the first entities, and in the middle.
  for (const written of [0, 1, 6, 12]) {
    const before = bed.proxy.requests.length;
    const current = app;
    const isReached = async () =>
      bed.proxy.requests.slice(before).filter(isTransaction).length >= written ||
      (await current.report(id)).status !== 'running';
    await expect.poll(isReached, { timeout: 30_000, interval: 5 }).toBe(true);
    await app.host.kill();
    app = await bed.start();
  }
  const report = await app.ended(id);
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: COUNT, copied: COUNT, failed: 0 } });
  expect(await rawEntities(bed.source.connectionString, 'back')).toEqual(
    await rawEntities(bed.source.connectionString, 'orders'),
  );
});

test('a retry restores the entities that the service denied', async () => {
  const app = await bed.start();
  await app.run();
  bed.proxy.rules.push({
    match: (request) => isWrite(request) && isTransaction(request),
    answer: () => ({
      status: 403,
      headers: { 'x-ms-error-code': 'AuthorizationPermissionMismatch', 'content-type': 'application/json' },
      body: '{"odata.error":{"code":"AuthorizationPermissionMismatch","message":{"lang":"en-US","value":"Not you"}}}',
    }),
  });
  const id = await restoreTo(app);
  const denied = await app.ended(id);
  expect(denied).toMatchObject({ status: 'completed-with-failures', counts: { copied: 0, failed: COUNT } });
  expect(denied.problems.map(({ code }) => code)).toEqual(['access-denied-target']);
  bed.proxy.rules.length = 0;
  const retried = await app.retry(id);
  expect(retried).toMatchObject({ status: 'succeeded', counts: { listed: COUNT, copied: COUNT, failed: 0 } });
});
