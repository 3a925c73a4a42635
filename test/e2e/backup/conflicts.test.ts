import http from 'node:http';
import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer } from '../../support/builders/collection.ts';
import { type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../support/faults/fault-proxy.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
const apps: Strongroom[] = [];

const start = async (more: object = {}) => {
  const app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    ...more,
  });
  apps.push(app);
  return app;
};

const upload = async (container: string, name: string, text: string) => {
  const client = await makeContainer(source.connectionString, container);
  await client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
};

const isCopyTo = (name: string) => (request: ProxiedRequest) =>
  request.method === 'PUT' && 'x-ms-copy-source' in request.headers && request.path.endsWith(`/${name}`);

beforeEach(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
});

afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.host.stop()));
  await proxy.stop();
});

test('F4: a source that changes between listing and copying is copied as it is then', async () => {
  await upload('data', 'steady', 'steady');
  await upload('data', 'moving', 'before');
  proxy.rules.push({ match: isCopyTo('moving'), times: 1, before: () => upload('data', 'moving', 'after!') });
  const app = await start();
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 2 } });
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: 2 });
});

test('F26: a source that never rests is given up and named, and the next run has it', async () => {
  await upload('data', 'restless', 'v0');
  let version = 0;
  proxy.rules.push({
    match: isCopyTo('restless'),
    times: 8,
    before: () => upload('data', 'restless', `v${++version}`),
  });
  const app = await start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 1, failed: 1 } });
  expect(await app.outcomes(report.id, 'status=failed')).toMatchObject([{ name: 'restless', code: 'source-changing' }]);
  proxy.rules.length = 0;
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 1, failed: 0 });
});

test('a blob deleted between listing and copying is an outcome, not a failure', async () => {
  await upload('data', 'fleeting', 'here');
  await upload('data', 'staying', 'here');
  const client = BlobServiceClient.fromConnectionString(source.connectionString).getContainerClient('data');
  proxy.rules.push({
    match: isCopyTo('fleeting'),
    times: 1,
    before: async () => void (await client.deleteBlob('fleeting')),
  });
  const app = await start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 1, skipped: 1, failed: 0 } });
  expect(await app.outcomes(report.id, 'status=skipped')).toMatchObject([
    { name: 'fleeting', code: 'source-vanished' },
  ]);
});

test('an archived source is skipped by name; what was copied before it was archived stays as it is', async () => {
  await upload('data', 'cold', 'never backed up');
  await upload('data', 'warm', 'backed up');
  const client = BlobServiceClient.fromConnectionString(source.connectionString).getContainerClient('data');
  await client.getBlobClient('cold').setAccessTier('Archive');
  const app = await start();
  const first = await app.run();
  expect(first).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 1, skipped: 1 } });
  expect(first.problems).toMatchObject([{ code: 'source-archived', count: 1, container: 'data' }]);
  await client.getBlobClient('warm').setAccessTier('Archive');
  expect((await app.run()).counts).toMatchObject({ copied: 0, unchanged: 1, skipped: 1 });
  expect((await lookInto(vault.connectionString, 'databackup')).warm?.size).toBe(9);
});

test('a leased destination fails by name; once the lease is gone, retry copies that blob and no other', async () => {
  await upload('data', 'leased', 'one');
  await upload('data', 'free', 'one');
  const app = await start();
  await app.run();
  const mirror = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('databackup');
  const lease = mirror.getBlobClient('leased').getBlobLeaseClient();
  await lease.acquireLease(-1);
  await upload('data', 'leased', 'two');
  await upload('data', 'free', 'two');
  const report = await app.run({ mode: 'incremental' });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 2, copied: 1, failed: 1 } });
  const [failure] = await app.outcomes(report.id, 'status=failed');
  expect(failure).toMatchObject({ name: 'leased', code: 'destination-leased', container: 'data' });
  expect(failure?.hint).toContain('lease');

  await lease.releaseLease();
  await upload('data', 'free', 'three');
  const retried = await app.call('POST', `/api/runs/${report.id}/retry`);
  expect(retried.status).toBe(202);
  expect(await app.ended(retried.body.id)).toMatchObject({
    mode: 'retry',
    retryOf: report.id,
    status: 'succeeded',
    counts: { listed: 1, copied: 1, failed: 0 },
  });
  const copies = await lookInto(vault.connectionString, 'databackup');
  const originals = await lookInto(source.connectionString, 'data');
  expect(copies.leased).toEqual(originals.leased);
  expect(copies.free).not.toEqual(originals.free);
});

test('F1: names that the SDK would turn into others are skipped by name, and nothing lands elsewhere', async () => {
  const container = await makeContainer(source.connectionString, 'data');
  await makeContainer(vault.connectionString, 'canary');
  const hostile = ['a/../b', 'dir/.', './start', '../canary/x', 'a/../../canary/x', 'back\\slash'];
  const url = await container.generateSasUrl({
    permissions: ContainerSASPermissions.parse('cw'),
    expiresOn: new Date(Date.now() + 600_000),
  });
  for (const name of hostile) await putRaw(url, name);
  await upload('data', 'plain', 'plain');
  const listed: string[] = [];
  for await (const { name } of container.listBlobsFlat()) listed.push(name);
  const app = await start({ job: { source: { account: 'SOURCE', containers: ['data'] } } });
  const report = await app.run();
  const odd = listed.filter((name) => hostile.includes(name));
  expect(odd.length).toBeGreaterThan(0);
  expect(report.counts).toMatchObject({ listed: listed.length, skipped: odd.length, failed: 0 });
  const skipped = await app.outcomes(report.id, 'status=skipped');
  expect(skipped.map(({ name, code }) => [name, code]).sort()).toEqual(
    odd.map((name) => [name, 'unsupported-name']).sort(),
  );
  expect(await lookInto(vault.connectionString, 'canary')).toEqual({});
  expect(Object.keys(await lookInto(vault.connectionString, 'databackup')).sort()).toEqual(
    listed.filter((name) => !odd.includes(name)).sort(),
  );
});

test('awkward names that the service allows are copied as they are', async () => {
  const names = [
    'a b',
    'ü/ñ/日本',
    '😀',
    '100%',
    '%2F',
    'a#b?c=d&e+f',
    'it\'s "quoted"',
    'UP/low',
    'up/LOW',
    'x'.repeat(1000),
    `${'d/'.repeat(60)}deep`,
  ];
  for (const name of names) await upload('data', name, name);
  const app = await start();
  expect(await app.run()).toMatchObject({
    status: 'succeeded',
    counts: { listed: names.length, copied: names.length },
  });
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: names.length });
});

test('F8: a copy whose answer is lost is recognised as our own', async () => {
  await upload('data', 'lost', 'content');
  proxy.rules.push({ match: isCopyTo('lost'), times: 1, after: () => 'drop' });
  const app = await start();
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { listed: 1, copied: 1, failed: 0 } });
  expect(proxy.requests.filter(isCopyTo('lost'))).toHaveLength(2);
});

test('a blob in the vault made by another tool is compared by time and size, and gets a record when copied', async () => {
  const mirror = await makeContainer(vault.connectionString, 'databackup');
  await upload('data', 'same', 'same');
  await upload('data', 'other', 'source');
  await mirror.getBlockBlobClient('same').upload('same', 4);
  await mirror.getBlockBlobClient('other').upload('something else', 14);
  const app = await start();
  const report = await app.run({ mode: 'incremental' });
  expect(report.counts).toMatchObject({ copied: 1, unchanged: 1 });
  expect(await app.outcomes(report.id, 'status=copied')).toMatchObject([{ name: 'other', reason: 'untracked' }]);
});

test('a container that the job names and the source lacks fails that container alone; retry backs it up once it is there', async () => {
  await upload('data', 'a', 'a');
  const app = await start({ job: { source: { account: 'SOURCE', containers: ['data', 'missing'] } } });
  const report = await app.run();
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 1, copied: 1 } });
  expect(report.problems).toMatchObject([{ code: 'container-not-found', container: 'missing', count: 0 }]);
  await upload('missing', 'b', 'b');
  const { body } = await app.call('POST', `/api/runs/${report.id}/retry`);
  expect(await app.ended(body.id)).toMatchObject({ status: 'succeeded', counts: { listed: 1, copied: 1 } });
  expect(Object.keys(await lookInto(vault.connectionString, 'missingbackup'))).toEqual(['b']);
});

test('a source that cannot be reached fails the run and says what to check', async () => {
  const gone = source.connectionString.replace(
    /BlobEndpoint=http:\/\/127\.0\.0\.1:\d+/,
    'BlobEndpoint=http://127.0.0.1:9',
  );
  const app = await start({ source: gone });
  const report = await app.run();
  expect(report).toMatchObject({ status: 'failed', counts: { listed: 0 }, problems: [{ code: 'unreachable' }] });
  expect(report.problems[0]?.hint).toContain('firewall');
  const health = await app.call('GET', '/api/health');
  expect(health).toMatchObject({ status: 503, body: { status: 'degraded' } });
});

test('missing rights on the source are named, with the role to give', async () => {
  await upload('data', 'a', 'a');
  proxy.rules.push({
    match: ({ path, query }) => path === `/${source.name}/data` && query.get('comp') === 'list',
    answer: () => ({
      status: 403,
      headers: { 'x-ms-error-code': 'AuthorizationPermissionMismatch', 'content-type': 'application/xml' },
      body: '<?xml version="1.0"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>no</Message></Error>',
    }),
  });
  const app = await start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'access-denied-source', container: 'data' }] });
  expect(report.problems[0]?.hint).toContain('Storage Blob Data Reader');
});

/** Uploads under a name as it is: the SDK would rewrite it first. */
function putRaw(containerUrl: string, name: string): Promise<void> {
  const url = new URL(containerUrl);
  const path = `${url.pathname}/${encodeURIComponent(name).replaceAll('%2F', '/')}${url.search}`;
  const headers = { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2021-12-02', 'content-length': '1' };
  return new Promise((resolve, reject) => {
    const request = http.request({ host: url.hostname, port: url.port, method: 'PUT', path, headers }, (response) => {
      response.resume().on('end', resolve);
    });
    request.on('error', reject).end('x');
  });
}
