import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dueNow } from '../../support/app/due-now.ts';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { type FaultProxy, startFaultProxy } from '../../support/faults/fault-proxy.ts';

/** Each test continues with the state that the test before it left. */
describe('backups of one collection', () => {
  let app: Strongroom;
  let source: TestAccount;
  let vault: TestAccount;
  let proxy: FaultProxy;

  const compare = async (...containers: string[]) => {
    for (const name of containers) {
      const [original, copy] = await Promise.all([
        lookInto(source.connectionString, name),
        lookInto(vault.connectionString, `${name}backup`),
      ]);
      expect(copy, name).toEqual(original);
    }
  };

  beforeAll(async () => {
    [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
    const images = await makeContainer(source.connectionString, 'images');
    const docs = await makeContainer(source.connectionString, 'docs');
    await makeContainer(source.connectionString, 'hollow');
    await makeContainer(source.connectionString, 'other');
    const upload = (name: string, text: string) =>
      images.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
    await Promise.all(Array.from({ length: 40 }, (_, i) => upload(`photo/${i}.jpg`, `content ${i}`)));
    await docs.getBlockBlobClient('rich.txt').upload('rich', 4, {
      metadata: { Author: 'Ada', mixedCase: 'Yes 1' },
      tags: { project: 'x y', state: 'done' },
      tier: 'Cool',
      blobHTTPHeaders: {
        blobContentType: 'text/plain; charset=utf-8',
        blobContentLanguage: 'de',
        blobCacheControl: 'no-cache',
        blobContentDisposition: 'attachment; filename="a b.txt"',
      },
    });
    await docs.getBlockBlobClient('empty').upload('', 0);
    await docs.getBlockBlobClient('scratch.tmp').upload('x', 1);
    await docs.getAppendBlobClient('log').create({ metadata: { kind: 'append' } });
    await docs.getAppendBlobClient('log').appendBlock('line\n', 5);
    await docs.getPageBlobClient('disk').create(1024);
    await docs.getPageBlobClient('disk').uploadPages(Buffer.alloc(512, 7), 512, 512);
    proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
    app = await startStrongroom({
      source: proxy.connectionString(source),
      vault: proxy.connectionString(vault),
      job: {
        source: { account: 'SOURCE', containers: ['images', 'docs', 'hol*'], exclude: ['**/*.tmp'] },
        schedule: dueNow(),
      },
    });
  });

  afterAll(async () => {
    await app?.host.stop();
    await proxy?.stop();
  });

  test('a full run copies every blob of every type with its properties', async () => {
    const report = await app.run();
    expect(report).toMatchObject({
      mode: 'full',
      trigger: 'http',
      status: 'succeeded',
      counts: { listed: 44, copied: 44, unchanged: 0, skipped: 0, failed: 0 },
      problems: [],
      progress: { fraction: 1, secondsLeft: 0 },
    });
    expect(report.containers.map(({ container, status }) => [container, status]).sort()).toEqual([
      ['docs', 'succeeded'],
      ['hollow', 'succeeded'],
      ['images', 'succeeded'],
    ]);
    await compare('images');
    const docs = await lookInto(source.connectionString, 'docs');
    delete docs['scratch.tmp'];
    expect(await lookInto(vault.connectionString, 'docsbackup')).toEqual(docs);
    expect(await lookInto(vault.connectionString, 'otherbackup')).toEqual({});
  });

  test('the report counts the requests that the server saw', async () => {
    const { body } = await app.call('GET', '/api/runs?limit=1');
    const [run] = body.runs as unknown as { id: string }[];
    const { requests, startedAt } = await app.report(run!.id);
    expect(requests.CopyBlobFromURL).toBe(42);
    expect(requests.CopyBlob).toBe(2);
    expect(Date.parse(startedAt)).toBeLessThan(Date.now());
    const copies = proxy.requests.filter(({ method, headers }) => method === 'PUT' && headers['x-ms-copy-source']);
    expect(copies).toHaveLength(44);
  });

  test('a run without changes copies nothing and sends no request for a single blob', async () => {
    proxy.requests.length = 0;
    const report = await app.run({ mode: 'incremental' });
    expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 44, copied: 0, unchanged: 44 } });
    const seen = proxy.requests.filter(({ path }) => !path.includes('/strongroom'));
    // Two listings per container, its properties and its access policies; and one of the account's containers.
    expect(seen.map(({ method }) => method)).toEqual(Array(13).fill('GET'));
    const reported = Object.values(report.requests).reduce((sum, count) => sum + count, 0);
    // It finds the last point on record, reads its own manifest and the earlier one to compare them, gives a sign, and
    // adds a record to the chain.
    expect(reported).toBeLessThanOrEqual(60);
  });

  test('F5: a run finds an edit of the same length within the second of the last copy', async () => {
    const blob = BlobServiceClient.fromConnectionString(source.connectionString)
      .getContainerClient('images')
      .getBlockBlobClient('photo/7.jpg');
    await blob.upload('CONTENT 7', 9);
    await app.run({ mode: 'incremental' });
    await blob.upload('cOnTeNt 7', 9);
    const report = await app.run({ mode: 'incremental' });
    expect(report.counts).toMatchObject({ copied: 1, unchanged: 43 });
    await compare('images');
  });

  test('F5: a run finds an edit although the clock of the source is an hour behind', async () => {
    const behind = (text: string) =>
      text.replace(
        /<Last-Modified>([^<]*)</g,
        (_, time) => `<Last-Modified>${new Date(Date.parse(time) - 3_600_000).toUTCString()}<`,
      );
    proxy.rules.push({
      match: ({ path, query }) => path.startsWith(`/${source.name}/`) && query.get('comp') === 'list',
      after: (_, response) => ({ ...response, body: behind(response.body.toString()) }),
    });
    const container = BlobServiceClient.fromConnectionString(source.connectionString).getContainerClient('images');
    await container.getBlockBlobClient('photo/8.jpg').upload('CONTENT 8', 9);
    const report = await app.run({ mode: 'incremental' });
    proxy.rules.length = 0;
    expect(report.counts).toMatchObject({ copied: 1, unchanged: 43 });
    await compare('images');
    expect((await app.run({ mode: 'incremental' })).counts.copied).toBe(0);
  });

  test('F2: a run takes a snapshot before it overwrites a blob, with one more request', async () => {
    const container = BlobServiceClient.fromConnectionString(source.connectionString).getContainerClient('images');
    await container.getBlockBlobClient('photo/9.jpg').upload('second', 6);
    proxy.requests.length = 0;
    await app.run({ mode: 'incremental' });
    expect(await snapshotsOf(vault.connectionString, 'imagesbackup', 'photo/9.jpg')).toEqual(['content 9']);
    // The emulator looks at a copy's source by a HEAD of its own; what the app sent is the snapshot and the copy.
    const sent = proxy.requests.filter(({ path, method }) => path.endsWith('/photo/9.jpg') && method === 'PUT');
    expect(sent).toHaveLength(2);
  });

  test('a run copies new blobs, sets changed tags and tiers in place, and deletes nothing', async () => {
    const client = BlobServiceClient.fromConnectionString(source.connectionString);
    const images = client.getContainerClient('images');
    const docs = client.getContainerClient('docs');
    await images.getBlockBlobClient('photo/new.jpg').upload('new', 3);
    await images.deleteBlob('photo/1.jpg');
    await docs.getBlockBlobClient('rich.txt').setTags({ project: 'changed' });
    await docs.getBlockBlobClient('empty').setAccessTier('Cool');
    const report = await app.run({ mode: 'incremental' });
    expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 44, copied: 3, unchanged: 41 } });
    const outcomes = await app.outcomes(report.id, 'status=copied');
    expect(outcomes.map(({ name, method, reason }) => [name, method, reason]).sort()).toEqual([
      ['empty', 'properties', 'tier'],
      ['photo/new.jpg', 'sync', 'new'],
      ['rich.txt', 'properties', 'tags'],
    ]);
    const backup = await lookInto(vault.connectionString, 'docsbackup');
    expect(backup['rich.txt']?.tags).toEqual({ project: 'changed' });
    expect(backup['rich.txt']?.metadata).toEqual({ Author: 'Ada', mixedCase: 'Yes 1' });
    const kept = await lookInto(vault.connectionString, 'imagesbackup');
    // F10: absence from the source deletes nothing in the vault.
    expect(kept['photo/1.jpg']?.size).toBe(9);
    expect((await app.run({ mode: 'incremental' })).counts.copied).toBe(0);
  });

  test('the timer starts an incremental run', async () => {
    const fired = await app.call('POST', '/admin/functions/backup_nightly', {});
    expect(fired.status).toBe(202);
    const isTimer = ({ trigger, status }: Record<string, unknown>) => trigger === 'timer' && status === 'succeeded';
    await expect
      .poll(async () => ((await app.call('GET', '/api/runs?job=nightly')).body.runs as unknown as object[])[0], {
        timeout: 20_000,
      })
      .toSatisfy(isTimer);
  });

  test('a dry run names what would be copied, and copies nothing', async () => {
    const container = BlobServiceClient.fromConnectionString(source.connectionString).getContainerClient('images');
    await container.getBlockBlobClient('photo/dry.jpg').upload('dry', 3);
    await container.getBlockBlobClient('photo/2.jpg').upload('wet', 3);
    proxy.requests.length = 0;
    const report = await app.run({ mode: 'incremental', dryRun: true });
    expect(report).toMatchObject({
      dryRun: true,
      status: 'succeeded',
      counts: { listed: 45, copied: 0, planned: 2, unchanged: 43 },
    });
    expect(report.bytes.planned).toBe(6);
    const planned = await app.outcomes(report.id, 'status=planned');
    expect(planned.map(({ name, reason }) => [name, reason])).toEqual([
      ['photo/2.jpg', 'changed'],
      ['photo/dry.jpg', 'new'],
    ]);
    const written = proxy.requests.filter(({ method, path }) => method !== 'GET' && !path.includes('/strongroom/'));
    expect(written).toEqual([]);
  });

  test('the catalog can be rebuilt from the vault alone', async () => {
    const { body: before } = await app.call('GET', '/api/runs');
    const { TableClient } = await import('@azure/data-tables');
    const table = TableClient.fromConnectionString(vault.connectionString, 'strongroom', {
      allowInsecureConnection: true,
    });
    await table.deleteTable();
    const { body: without } = await app.call('GET', '/api/runs');
    expect(without).toMatchObject({ runs: before.runs, problems: [{ code: 'catalog-unavailable' }] });
    const rebuilt = await app.call('POST', '/api/catalog/rebuild');
    expect(rebuilt.body.runs).toBe((before.runs as unknown as object[]).length);
    expect((await app.call('GET', '/api/runs')).body).toEqual(before);
  });
});
