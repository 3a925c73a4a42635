import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { DROP, isCopy } from '../../support/faults/fault-proxy.ts';
import { contentOf } from '../../support/judge/content-of.ts';

const bed = useTestBed({
  app: { job: { destination: { account: 'VAULT', container: '{container}backup', prefix: 'of/' } } },
});

/** Blobs of every kind, with all that a blob can carry. */
const fill = async (container = 'data') => {
  const client = await makeContainer(bed.source.connectionString, container);
  const upload = (name: string, text: string, more: object = {}) =>
    client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), more);
  await Promise.all(Array.from({ length: 20 }, (_, i) => upload(`plain/${i}`, `plain ${i}`)));
  await upload('rich', 'rich', {
    metadata: { Author: 'Ada', mixedCase: 'Yes 1' },
    tags: { project: 'x y', state: 'done' },
    tier: 'Cool',
    blobHTTPHeaders: {
      blobContentType: 'text/plain; charset=utf-8',
      blobContentEncoding: 'identity',
      blobContentLanguage: 'de',
      blobCacheControl: 'no-cache',
      blobContentDisposition: 'attachment; filename="a b.txt"',
    },
  });
  await upload('tagged only', 'x', { tags: { a: '1' } });
  await upload('empty', '');
  await upload('ümlaut/日本/a b%20c?.txt', 'unicode');
  await client.getAppendBlobClient('log').create({ metadata: { kind: 'append' } });
  await client.getAppendBlobClient('log').appendBlock('line\n', 5);
  await client.getPageBlobClient('disk').create(1024);
  await client.getPageBlobClient('disk').uploadPages(Buffer.alloc(512, 7), 512, 512);
  return { client, upload };
};

test('I7: a restore writes a lost container as it was, in every respect', async () => {
  const { client } = await fill();
  const before = await contentOf(bed.source.connectionString, 'data');
  const app = await bed.start();
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { copied: 26 } });
  await client.delete();

  const report = await app.restore({});
  expect(report).toMatchObject({ mode: 'restore', status: 'succeeded', counts: { listed: 26, copied: 26, failed: 0 } });
  expect(await contentOf(bed.source.connectionString, 'data')).toEqual(before);
  // The restore has not changed the vault.
  expect(Object.keys(await contentOf(bed.vault.connectionString, 'databackup'))).toHaveLength(26);
});

test('a restore of an older restore point writes the source as it was then, and nothing that came later', async () => {
  const { client, upload } = await fill();
  const first = await contentOf(bed.source.connectionString, 'data');
  const app = await bed.start({ limits: { sliceBlobs: 10, chunkBlobs: 3, sliceChunks: 2 } });
  const point = await app.run();
  expect(point.status).toBe('succeeded');
  await upload('plain/1', 'changed');
  await upload('rich', 'poorer');
  await upload('new', 'new');
  await client.deleteBlob('plain/2');
  await client.getAppendBlobClient('log').delete();
  await client.getAppendBlobClient('log').create();
  const second = await contentOf(bed.source.connectionString, 'data');
  expect((await app.run({ mode: 'incremental' })).status).toBe('succeeded');
  await upload('plain/1', 'changed again');
  expect((await app.run({ mode: 'full' })).status).toBe('succeeded');

  const target = (container: string) => ({ account: 'SOURCE', container });
  expect(await app.restore({ restorePoint: point.id, target: target('{container}-then') })).toMatchObject({
    status: 'succeeded',
    counts: { copied: 26 },
  });
  expect(await contentOf(bed.source.connectionString, 'data-then')).toEqual(first);
  const { body } = await app.call('GET', '/api/runs');
  const middle = (body.runs as unknown as { id: string; mode: string; startedAt: string }[]).find(
    ({ mode }) => mode === 'incremental',
  )!;
  expect(await app.restore({ at: middle.startedAt, target: target('{container}-between') })).toMatchObject({
    status: 'succeeded',
    restore: { point: middle.id },
  });
  expect(await contentOf(bed.source.connectionString, 'data-between')).toEqual(second);
});

test('F32: a restore replaces existing blobs only if asked, and takes a snapshot of each', async () => {
  const { upload } = await fill();
  const app = await bed.start();
  await app.run();
  await upload('plain/1', 'newer');
  await upload('plain/2', 'newer');
  await upload('unknown', 'not in the backup');
  const now = await contentOf(bed.source.connectionString, 'data');

  const refused = await app.restore({});
  expect(refused).toMatchObject({ status: 'completed-with-failures', counts: { copied: 0, failed: 26 } });
  expect(refused.problems[0]).toMatchObject({ code: 'target-exists', count: 26 });
  expect(await app.restore({ existing: 'skip' })).toMatchObject({ status: 'succeeded', counts: { skipped: 26 } });
  expect(await contentOf(bed.source.connectionString, 'data')).toEqual(now);

  const dry = await app.restore({ existing: 'if-different', dryRun: true });
  expect(dry).toMatchObject({ status: 'succeeded', counts: { unchanged: 24, planned: 2 } });
  const planned = await app.outcomes(dry.id, 'status=planned');
  expect(planned.map(({ name }) => name)).toEqual(['plain/1', 'plain/2']);
  expect(await contentOf(bed.source.connectionString, 'data')).toEqual(now);

  const done = await app.restore({ existing: 'if-different' });
  expect(done).toMatchObject({ status: 'succeeded', counts: { copied: 2, unchanged: 24 } });
  const after = await contentOf(bed.source.connectionString, 'data');
  expect(after.unknown).toEqual(now.unknown);
  expect(await snapshotsOf(bed.source.connectionString, 'data', 'plain/1')).toEqual(['newer']);
  expect(await app.restore({ existing: 'overwrite', include: ['plain/*'] })).toMatchObject({
    status: 'succeeded',
    counts: { listed: 20 },
  });
});

test('a restore of some names writes these, and fails for a name that the restore point does not hold', async () => {
  const { client } = await fill();
  const before = await contentOf(bed.source.connectionString, 'data');
  const app = await bed.start();
  await app.run();
  for (const name of ['rich', 'tagged only', 'ümlaut/日本/a b%20c?.txt', 'log']) await client.deleteBlob(name);
  const names = ['rich', 'ümlaut/日本/a b%20c?.txt', 'log', 'plain/1', 'plain/*'];
  const report = await app.restore({ containers: ['data'], names, existing: 'overwrite' });
  expect(report).toMatchObject({
    status: 'completed-with-failures',
    counts: { listed: 5, copied: 3, unchanged: 1, failed: 1 },
    restore: { names: 5 },
    problems: [{ code: 'container-not-held', count: 1 }],
  });
  expect(await app.outcomes(report.id, 'status=failed')).toMatchObject([{ name: 'plain/*' }]);
  const { 'tagged only': _, ...restored } = before;
  expect(await contentOf(bed.source.connectionString, 'data')).toEqual(restored);
});

test('a restore writes some containers and names into another account, another container and a prefix', async () => {
  await fill('one');
  await fill('two');
  await fill('three');
  const app = await bed.start();
  await app.run();
  const unknown = await app.call('POST', '/api/restores', { target: { account: 'ELSEWHERE' } });
  expect(unknown).toMatchObject({ status: 400, body: { code: 'account-unknown' } });
  await app.host.stop();

  const again = await bed.start({ more: { accounts: ['ELSEWHERE'] } });
  const report = await again.restore({
    containers: ['t*'],
    prefix: 'plain/',
    exclude: ['**/*1*'],
    target: { account: 'ELSEWHERE', container: 'all', prefix: '{container}/' },
  });
  expect(report.status).toBe('succeeded');
  expect(report.containers.map(({ container }) => container).sort()).toEqual(['three', 'two']);
  const all = await contentOf(bed.elsewhere.connectionString, 'all');
  const wanted = Object.entries(await contentOf(bed.source.connectionString, 'two')).filter(
    ([name]) => name.startsWith('plain/') && !name.includes('1'),
  );
  expect(all).toEqual(
    Object.fromEntries(['three', 'two'].flatMap((of) => wanted.map(([name, blob]) => [`${of}/${name}`, blob]))),
  );
  const accounts = BlobServiceClient.fromConnectionString(bed.elsewhere.connectionString);
  const names: string[] = [];
  for await (const { name } of accounts.listContainers()) names.push(name);
  expect(names).toEqual(['all']);
});

test('a restore into the backup itself, or of two containers into one place, is refused', async () => {
  await fill('one');
  await fill('two');
  const app = await bed.start();
  await app.run();
  for (const target of [
    { account: 'VAULT', container: '{container}backup' },
    { account: 'VAULT', container: 'strongroom' },
    { container: 'both' },
  ]) {
    expect(await app.call('POST', '/api/restores', { target })).toMatchObject({ status: 400 });
  }
  const nothing = { status: 404, body: { code: 'restore-point-not-found' } };
  expect(await app.call('POST', '/api/restores', { at: '2020-01-01T00:00:00Z' })).toMatchObject(nothing);
  const lost = 'nightly-20260101T000000Z-aaaaaa';
  expect(await app.call('POST', '/api/restores', { restorePoint: lost })).toMatchObject(nothing);
});

test('missing or changed content fails by name, and a retry restores content that is there again', async () => {
  await fill();
  const app = await bed.start();
  await app.run();
  const backup = bed.backup();
  const lost = backup.getBlockBlobClient('of/plain/1');
  const { metadata } = await lost.getProperties();
  const content = await lost.downloadToBuffer();
  await lost.delete();
  const other = backup.getBlockBlobClient('of/plain/2');
  const { metadata: about } = await other.getProperties();
  await other.upload('cut', 3, { metadata: about! });

  const report = await app.restore({ target: { container: 'back' } });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 24, failed: 2 } });
  const failures = await app.outcomes(report.id, 'status=failed');
  expect(failures.map(({ name, code }) => [name, code])).toEqual([
    ['plain/1', 'content-missing'],
    ['plain/2', 'content-mismatch'],
  ]);

  await lost.upload(content, content.length, { metadata: metadata! });
  expect(await app.retry(report.id)).toMatchObject({
    status: 'completed-with-failures',
    counts: { listed: 2, copied: 1, failed: 1 },
  });
});

test('F28: a restore that loses the answer to every copy writes and reports each blob once', async () => {
  await fill();
  const before = await contentOf(bed.source.connectionString, 'data');
  const app = await bed.start({ limits: { retryDelayMs: 20 } });
  await app.run();
  const seen = new Set<string>();
  bed.proxy.rules.push({
    match: (request) => {
      const { path } = request;
      if (!isCopy(request) || !path.includes('/back/') || seen.has(path)) return false;
      seen.add(path);
      return true;
    },
    after: () => DROP,
  });
  const report = await app.restore({ target: { container: 'back' } });
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 26 } });
  expect(seen.size).toBe(26);
  expect(await contentOf(bed.source.connectionString, 'back')).toEqual(before);
});
