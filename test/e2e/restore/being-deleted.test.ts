import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { containerIn, useTestBed } from '../../support/app/test-bed.ts';
import type { FaultRule, ProxiedRequest } from '../../support/faults/fault-proxy.ts';
import { refusal } from '../../support/faults/faults.ts';

const bed = useTestBed({ tables: true, app: { limits: { retryDelayMs: 20 } } });

const creates =
  (container: string) =>
  ({ service, method, path, query }: ProxiedRequest) =>
    service === 'blob' && method === 'PUT' && query.get('restype') === 'container' && path.endsWith(`/${container}`);

const createsTable = ({ service, method, path }: ProxiedRequest) =>
  service === 'table' && method === 'POST' && path.endsWith('/Tables');

/** Refuses a creation, as often as the service would while it deletes what had the name before. */
function refuses(match: FaultRule['match'], status: number, code: string, times = 1): void {
  const body = JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: code } } });
  bed.proxy.rules.push({
    match,
    times,
    answer: ({ service }) =>
      service === 'blob' ? refusal(status, code) : { status, headers: { 'content-type': 'application/json' }, body },
  });
}

const waiting = (codes: { code: string }[]) => codes.some(({ code }) => code === 'container-being-deleted');

test('F81: a restore waits while the service deletes its container, and reports that meanwhile', async () => {
  await bed.fill(3);
  const app = await bed.start({ job: { source: { account: 'SOURCE', containers: ['data'] } } });
  await app.run();
  await bed.original().delete();
  refuses(creates('data'), 409, 'ContainerBeingDeleted');
  const id = await app.begin('/api/restores', { containers: ['data'] });
  const meanwhile = await app.until(id, ({ problems }) => waiting(problems));
  expect(meanwhile).toMatchObject({ status: 'running', problems: [{ container: 'data', count: 0 }] });
  expect(await app.ended(id)).toMatchObject({ status: 'succeeded', counts: { copied: 3 }, problems: [] });
  await bed.expectBackedUp();
});

test('F81: the retry of a restore, a backup and a reconciliation wait for a container that is being deleted', async () => {
  await bed.fill(2);
  await bed.upload('a', 'a', 'incoming');
  const app = await bed.start({
    job: { source: { account: 'SOURCE', containers: ['data'] } },
    more: {
      archives: [
        {
          name: 'uploads',
          source: { account: 'SOURCE', container: 'incoming' },
          destination: { account: 'VAULT', container: 'archive' },
        },
      ],
    },
  });
  refuses(creates('databackup'), 409, 'ContainerBeingDeleted');
  refuses(creates('archive'), 409, 'ContainerBeingDeleted');
  const ends = await Promise.all([app.run(), app.begin('/api/archives/uploads/reconcile').then((id) => app.ended(id))]);
  expect(ends.map(({ status, problems }) => ({ status, problems }))).toEqual(
    Array(2).fill({ status: 'succeeded', problems: [] }),
  );
  // Another writer deletes the container that is restored to, and so each copy of the restore fails.
  await bed.original().delete();
  bed.proxy.rules.push({
    match: ({ headers, path }) => 'x-ms-copy-source' in headers && path.includes('/data/'),
    times: 2,
    answer: () => refusal(409, 'LeaseIdMissing'),
  });
  const first = await app.restore({ containers: ['data'] });
  expect(first).toMatchObject({ status: 'completed-with-failures', counts: { failed: 2 } });
  await bed.original().delete();
  refuses(creates('data'), 409, 'ContainerBeingDeleted');
  expect(await app.retry(first.id)).toMatchObject({ status: 'succeeded', counts: { copied: 2 }, problems: [] });
});

test('F81: a restore waits while the service deletes its table', async () => {
  const table = TableClient.fromConnectionString(bed.source.connectionString, 'orders', {
    allowInsecureConnection: true,
  });
  await table.createTable();
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  const app = await bed.start({ job: { source: { account: 'SOURCE', tables: ['orders'] } } });
  await app.run();
  await table.deleteTable();
  refuses(createsTable, 409, 'TableBeingDeleted');
  const id = await app.begin('/api/restores', { tables: ['orders'] });
  await app.until(id, ({ problems }) => waiting(problems));
  expect(await app.ended(id)).toMatchObject({ status: 'succeeded', counts: { copied: 1 }, problems: [] });
});

test('a container or table that may not be created is one problem with its reason', async () => {
  await bed.fill(20);
  const table = TableClient.fromConnectionString(bed.source.connectionString, 'orders', {
    allowInsecureConnection: true,
  });
  await table.createTable();
  await table.createEntity({ partitionKey: 'p', rowKey: 'r' });
  const app = await bed.start({ job: { source: { account: 'SOURCE', containers: ['data'], tables: ['orders'] } } });
  await app.run();
  await bed.original().delete();
  await table.deleteTable();
  const always = Number.POSITIVE_INFINITY;
  refuses(creates('data'), 403, 'AuthorizationPermissionMismatch', always);
  refuses(createsTable, 403, 'AuthorizationPermissionMismatch', always);
  const report = await app.restore({ containers: ['data'], tables: ['orders'] });
  const problem = { code: 'container-not-created', count: 0 };
  expect(report).toMatchObject({
    status: 'failed',
    problems: [
      { ...problem, container: 'data', message: expect.stringContaining('create container SOURCE/data: 403') },
      { ...problem, container: 'table.orders', message: expect.stringContaining('create table SOURCE/orders: 403') },
    ],
  });
  expect(await containerIn(bed.source, 'data').exists()).toBe(false);
});
