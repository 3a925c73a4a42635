import { ContainerSASPermissions } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { lookInto, makeContainer } from '../../support/builders/collection.ts';
import { putRaw } from '../../support/builders/hostile-names.ts';
import { isCopy, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed();

const isCopyTo = (name: string) => (request: ProxiedRequest) => isCopy(request) && request.path.endsWith(`/${name}`);

test('F4: a blob that changes between listing and copying is copied as it is at the copy', async () => {
  await bed.upload('steady', 'steady');
  await bed.upload('moving', 'before');
  bed.proxy.rules.push({ match: isCopyTo('moving'), times: 1, before: () => bed.upload('moving', 'after!') });
  const app = await bed.start();
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 2 } });
  await bed.expectBackedUp();
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: 2 });
});

test('F26: a blob that changes during every attempt fails by name, and the next run copies it', async () => {
  await bed.upload('restless', 'v0');
  let version = 0;
  bed.proxy.rules.push({
    match: isCopyTo('restless'),
    times: 8,
    before: () => bed.upload('restless', `v${++version}`),
  });
  const app = await bed.start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 1, failed: 1 } });
  expect(await app.outcomes(report.id, 'status=failed')).toMatchObject([{ name: 'restless', code: 'source-changing' }]);
  bed.proxy.rules.length = 0;
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 1, failed: 0 });
});

test('a blob deleted between listing and copying is an outcome, not a failure', async () => {
  await bed.upload('fleeting', 'here');
  await bed.upload('staying', 'here');
  bed.proxy.rules.push({
    match: isCopyTo('fleeting'),
    times: 1,
    before: async () => void (await bed.original().deleteBlob('fleeting')),
  });
  const app = await bed.start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 1, skipped: 1, failed: 0 } });
  expect(await app.outcomes(report.id, 'status=skipped')).toMatchObject([
    { name: 'fleeting', code: 'source-vanished' },
  ]);
});

test('an archived blob is skipped by name, and its copy from before it was archived stays as it is', async () => {
  await bed.upload('cold', 'never backed up');
  await bed.upload('warm', 'backed up');
  await bed.original().getBlobClient('cold').setAccessTier('Archive');
  const app = await bed.start();
  const first = await app.run();
  expect(first).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 1, skipped: 1 } });
  expect(first.problems).toMatchObject([{ code: 'source-archived', count: 1, container: 'data' }]);
  await bed.original().getBlobClient('warm').setAccessTier('Archive');
  expect((await app.run()).counts).toMatchObject({ copied: 0, unchanged: 1, skipped: 1 });
  expect((await lookInto(bed.vault.connectionString, 'databackup')).warm?.size).toBe(9);
});

test('a leased backup blob fails by name, and a retry after the lease copies that blob and no other', async () => {
  await bed.upload('leased', 'one');
  await bed.upload('free', 'one');
  const app = await bed.start();
  await app.run();
  const lease = bed.backup().getBlobClient('leased').getBlobLeaseClient();
  await lease.acquireLease(-1);
  await bed.upload('leased', 'two');
  await bed.upload('free', 'two');
  const report = await app.run({ mode: 'incremental' });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 2, copied: 1, failed: 1 } });
  const [failure] = await app.outcomes(report.id, 'status=failed');
  expect(failure).toMatchObject({ name: 'leased', code: 'destination-leased', container: 'data' });
  expect(failure?.hint).toContain('lease');

  await lease.releaseLease();
  await bed.upload('free', 'three');
  expect(await app.retry(report.id)).toMatchObject({
    mode: 'retry',
    retryOf: report.id,
    status: 'succeeded',
    counts: { listed: 1, copied: 1, failed: 0 },
  });
  const copies = await lookInto(bed.vault.connectionString, 'databackup');
  const originals = await lookInto(bed.source.connectionString, 'data');
  expect(copies.leased).toEqual(originals.leased);
  expect(copies.free).not.toEqual(originals.free);
});

test('F1: names that the SDK would turn into others are skipped by name, and nothing lands elsewhere', async () => {
  const container = await makeContainer(bed.source.connectionString, 'data');
  await makeContainer(bed.vault.connectionString, 'canary');
  const hostile = ['a/../b', 'dir/.', './start', '../canary/x', 'a/../../canary/x', 'back\\slash'];
  const url = await container.generateSasUrl({
    permissions: ContainerSASPermissions.parse('cw'),
    expiresOn: new Date(Date.now() + 600_000),
  });
  for (const name of hostile) await putRaw(url, name, 'x');
  await bed.upload('plain', 'plain');
  const listed: string[] = [];
  for await (const { name } of container.listBlobsFlat()) listed.push(name);
  const app = await bed.start({ job: { source: { account: 'SOURCE', containers: ['data'] } } });
  const report = await app.run();
  const odd = listed.filter((name) => hostile.includes(name));
  expect(odd.length).toBeGreaterThan(0);
  expect(report.counts).toMatchObject({ listed: listed.length, skipped: odd.length, failed: 0 });
  const skipped = await app.outcomes(report.id, 'status=skipped');
  expect(skipped.map(({ name, code }) => [name, code]).sort()).toEqual(
    odd.map((name) => [name, 'unsupported-name']).sort(),
  );
  expect(await lookInto(bed.vault.connectionString, 'canary')).toEqual({});
  expect(Object.keys(await lookInto(bed.vault.connectionString, 'databackup')).sort()).toEqual(
    listed.filter((name) => !odd.includes(name)).sort(),
  );
});

test('blobs with awkward names that the service allows are copied under the same names', async () => {
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
  for (const name of names) await bed.upload(name, name);
  const app = await bed.start();
  expect(await app.run()).toMatchObject({
    status: 'succeeded',
    counts: { listed: names.length, copied: names.length },
  });
  await bed.expectBackedUp();
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: names.length });
});

test('F8: a run recognizes its own copy although the answer to it was lost', async () => {
  await bed.upload('lost', 'content');
  bed.proxy.rules.push({ match: isCopyTo('lost'), times: 1, after: () => 'drop' });
  const app = await bed.start();
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { listed: 1, copied: 1, failed: 0 } });
  expect(bed.proxy.requests.filter(isCopyTo('lost'))).toHaveLength(2);
});

test('a recent backup blob of another tool is copied again, whatever its size and MD5, and gets a record', async () => {
  const backup = await makeContainer(bed.vault.connectionString, 'databackup');
  await bed.upload('same', 'same');
  await bed.upload('other', 'source');
  await backup.getBlockBlobClient('same').upload('same', 4);
  await backup.getBlockBlobClient('other').upload('something else', 14);
  const app = await bed.start();
  const report = await app.run({ mode: 'incremental' });
  expect(report.counts).toMatchObject({ copied: 2, unchanged: 0 });
  expect(await app.outcomes(report.id, 'status=copied')).toMatchObject([
    { name: 'other', reason: 'untracked' },
    { name: 'same', reason: 'untracked' },
  ]);
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: 2 });
});

test('a container that the source does not have fails alone, and a retry backs it up once it exists', async () => {
  await bed.upload('a', 'a');
  const app = await bed.start({ job: { source: { account: 'SOURCE', containers: ['data', 'missing'] } } });
  const report = await app.run();
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 1, copied: 1 } });
  expect(report.problems).toMatchObject([{ code: 'container-not-found', container: 'missing', count: 0 }]);
  await bed.upload('b', 'b', 'missing');
  expect(await app.retry(report.id)).toMatchObject({ status: 'succeeded', counts: { listed: 1, copied: 1 } });
  expect(Object.keys(await lookInto(bed.vault.connectionString, 'missingbackup'))).toEqual(['b']);
});

test('a source that cannot be reached fails the run and says what to check', async () => {
  const gone = bed.source.connectionString.replace(
    /BlobEndpoint=http:\/\/127\.0\.0\.1:\d+/,
    'BlobEndpoint=http://127.0.0.1:9',
  );
  const app = await bed.start({ source: gone });
  const report = await app.run();
  expect(report).toMatchObject({ status: 'failed', counts: { listed: 0 }, problems: [{ code: 'unreachable' }] });
  expect(report.problems[0]?.hint).toContain('firewall');
  const health = await app.call('GET', '/api/health/details');
  expect(health).toMatchObject({ status: 503, body: { status: 'degraded' } });
});

test('missing rights on the source are named, with the role to give', async () => {
  await bed.upload('a', 'a');
  bed.proxy.rules.push({
    match: ({ path, query }) => path === `/${bed.source.name}/data` && query.get('comp') === 'list',
    answer: () => ({
      status: 403,
      headers: { 'x-ms-error-code': 'AuthorizationPermissionMismatch', 'content-type': 'application/xml' },
      body: '<?xml version="1.0"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>no</Message></Error>',
    }),
  });
  const app = await bed.start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'access-denied-source', container: 'data' }] });
  expect(report.problems[0]?.hint).toContain('Storage Blob Data Reader');
});

test('F2: a backup blob that cannot be overwritten for nights is kept once, and overwritten later', async () => {
  for (const name of ['leased', 'immutable']) await bed.upload(name, 'v0');
  const app = await bed.start();
  expect(await app.run()).toMatchObject({ status: 'succeeded' });
  const lease = bed.backup().getBlobClient('leased').getBlobLeaseClient();
  await lease.acquireLease(-1);
  const headers = { 'x-ms-error-code': 'BlobImmutableDueToPolicy' };
  bed.proxy.rules.push({ match: isCopyTo('immutable'), answer: () => ({ status: 409, headers, body: '' }) });
  for (let night = 1; night <= 3; night++) {
    for (const name of ['leased', 'immutable']) await bed.upload(name, `v${night}`);
    const report = await app.run({ mode: 'incremental' });
    expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 0, failed: 2 } });
    const failed = await app.outcomes(report.id, 'status=failed');
    expect(Object.fromEntries(failed.map(({ name, code }) => [name, code]))).toEqual({
      leased: 'destination-leased',
      immutable: 'destination-immutable',
    });
  }
  const snapshots = async (name: string) => {
    const found = [];
    for await (const blob of bed.backup().listBlobsFlat({ includeSnapshots: true, prefix: name }))
      found.push(blob.snapshot);
    return found.filter(Boolean).length;
  };
  expect(await snapshots('leased')).toBe(0);
  expect(await snapshots('immutable')).toBe(1);
  await lease.breakLease(0);
  bed.proxy.rules.length = 0;
  expect(await app.run({ mode: 'incremental' })).toMatchObject({ counts: { copied: 2, failed: 0 } });
  for (const name of ['leased', 'immutable']) expect(await snapshots(name)).toBe(1);
});
