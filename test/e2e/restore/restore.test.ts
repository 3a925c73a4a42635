import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import { DROP, type FaultProxy, startFaultProxy } from '../../support/faults/fault-proxy.ts';
import { contentOf } from '../../support/judge/content-of.ts';

let source: TestAccount;
let vault: TestAccount;
let elsewhere: TestAccount;
let proxy: FaultProxy;
let app: Strongroom | undefined;

const start = async (more: object = {}) => {
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    jobs: [
      {
        name: 'nightly',
        source: { account: 'SOURCE', containers: ['*'] },
        destination: { account: 'VAULT', container: '{container}backup', prefix: 'of/' },
      },
    ],
    ...more,
  });
  return app;
};

beforeEach(async () => {
  [source, vault, elsewhere] = takeAccounts(3) as [TestAccount, TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
});

afterEach(async () => {
  await app?.host.stop();
  app = undefined;
  await proxy.stop();
});

const restore = async (room: Strongroom, body: object) => {
  const answer = await room.call('POST', '/api/restores', body);
  if (answer.status !== 202) throw new Error(`Not started: ${answer.status} ${JSON.stringify(answer.body)}`);
  return room.ended(answer.body.id);
};

/** Blobs of every kind, with all that a blob can carry. */
const fill = async (container = 'data') => {
  const client = await makeContainer(source.connectionString, container);
  const upload = (name: string, text: string, more: object = {}) =>
    client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text), more);
  await Promise.all(Array.from({ length: 60 }, (_, i) => upload(`plain/${i}`, `plain ${i}`)));
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

test('I7: a lost container comes back as it was, in every respect', async () => {
  const { client } = await fill();
  const before = await contentOf(source.connectionString, 'data');
  const room = await start();
  expect(await room.run()).toMatchObject({ status: 'succeeded', counts: { copied: 66 } });
  await client.delete();

  const report = await restore(room, {});
  expect(report).toMatchObject({ mode: 'restore', status: 'succeeded', counts: { listed: 66, copied: 66, failed: 0 } });
  expect(await contentOf(source.connectionString, 'data')).toEqual(before);
  // The vault has not been changed by it.
  expect(Object.keys(await contentOf(vault.connectionString, 'databackup'))).toHaveLength(66);
});

test('a restore point from before changes holds what was there then, and nothing of what came later', async () => {
  const { client, upload } = await fill();
  const first = await contentOf(source.connectionString, 'data');
  const room = await start({ limits: { sliceBlobs: 10, chunkBlobs: 3, sliceChunks: 2 } });
  const point = await room.run();
  expect(point.status).toBe('succeeded');
  await upload('plain/1', 'changed');
  await upload('rich', 'poorer');
  await upload('new', 'new');
  await client.deleteBlob('plain/2');
  await client.getAppendBlobClient('log').delete();
  await client.getAppendBlobClient('log').create();
  const second = await contentOf(source.connectionString, 'data');
  expect((await room.run({ mode: 'incremental' })).status).toBe('succeeded');
  await upload('plain/1', 'changed again');
  expect((await room.run({ mode: 'full' })).status).toBe('succeeded');

  const target = (container: string) => ({ account: 'SOURCE', container });
  expect(await restore(room, { restorePoint: point.id, target: target('{container}-then') })).toMatchObject({
    status: 'succeeded',
    counts: { copied: 66 },
  });
  expect(await contentOf(source.connectionString, 'data-then')).toEqual(first);
  const { body } = await room.call('GET', '/api/runs');
  const middle = (body.runs as unknown as { id: string; mode: string; startedAt: string }[]).find(
    ({ mode }) => mode === 'incremental',
  )!;
  expect(await restore(room, { at: middle.startedAt, target: target('{container}-between') })).toMatchObject({
    status: 'succeeded',
    restore: { point: middle.id },
  });
  expect(await contentOf(source.connectionString, 'data-between')).toEqual(second);
});

test('F32: what is there is left alone unless told otherwise, and kept when it is replaced', async () => {
  const { upload } = await fill();
  const room = await start();
  await room.run();
  await upload('plain/1', 'newer');
  await upload('plain/2', 'newer');
  await upload('unknown', 'not in the backup');
  const now = await contentOf(source.connectionString, 'data');

  const refused = await restore(room, {});
  expect(refused).toMatchObject({ status: 'completed-with-failures', counts: { copied: 0, failed: 66 } });
  expect(refused.problems[0]).toMatchObject({ code: 'target-exists', count: 66 });
  expect(await restore(room, { existing: 'skip' })).toMatchObject({ status: 'succeeded', counts: { skipped: 66 } });
  expect(await contentOf(source.connectionString, 'data')).toEqual(now);

  const dry = await restore(room, { existing: 'if-different', dryRun: true });
  expect(dry).toMatchObject({ status: 'succeeded', counts: { unchanged: 64, planned: 2 } });
  const planned = await room.outcomes(dry.id, 'status=planned');
  expect(planned.map(({ name }) => name)).toEqual(['plain/1', 'plain/2']);
  expect(await contentOf(source.connectionString, 'data')).toEqual(now);

  const done = await restore(room, { existing: 'if-different' });
  expect(done).toMatchObject({ status: 'succeeded', counts: { copied: 2, unchanged: 64 } });
  const after = await contentOf(source.connectionString, 'data');
  expect(after.unknown).toEqual(now.unknown);
  expect(await snapshotsOf(source.connectionString, 'data', 'plain/1')).toEqual(['newer']);
  expect(await restore(room, { existing: 'overwrite', include: ['plain/*'] })).toMatchObject({
    status: 'succeeded',
    counts: { listed: 60 },
  });
});

test('into another account, some containers, some names, another container and prefix', async () => {
  await fill('one');
  await fill('two');
  await fill('three');
  const room = await start({
    env: { ELSEWHERE: proxy.connectionString(elsewhere) },
  });
  await room.run();
  const unknown = await room.call('POST', '/api/restores', { target: { account: 'ELSEWHERE' } });
  expect(unknown).toMatchObject({ status: 400, body: { code: 'account-unknown' } });
  await room.host.stop();

  const file = { accounts: ['ELSEWHERE'] };
  const again = await start({ env: { ELSEWHERE: proxy.connectionString(elsewhere) }, more: file });
  const report = await restore(again, {
    containers: ['t*'],
    prefix: 'plain/',
    exclude: ['**/*1*'],
    target: { account: 'ELSEWHERE', container: 'all', prefix: '{container}/' },
  });
  expect(report.status).toBe('succeeded');
  expect(report.containers.map(({ container }) => container).sort()).toEqual(['three', 'two']);
  const all = await contentOf(elsewhere.connectionString, 'all');
  const wanted = Object.entries(await contentOf(source.connectionString, 'two')).filter(
    ([name]) => name.startsWith('plain/') && !name.includes('1'),
  );
  expect(all).toEqual(
    Object.fromEntries(['three', 'two'].flatMap((of) => wanted.map(([name, blob]) => [`${of}/${name}`, blob]))),
  );
  const accounts = BlobServiceClient.fromConnectionString(elsewhere.connectionString);
  const names: string[] = [];
  for await (const { name } of accounts.listContainers()) names.push(name);
  expect(names).toEqual(['all']);
});

test('into the backup itself, or two containers into one place: refused', async () => {
  await fill('one');
  await fill('two');
  const room = await start();
  await room.run();
  for (const target of [
    { account: 'VAULT', container: '{container}backup' },
    { account: 'VAULT', container: 'strongroom' },
    { container: 'both' },
  ]) {
    expect(await room.call('POST', '/api/restores', { target })).toMatchObject({ status: 400 });
  }
  const nothing = { status: 404, body: { code: 'restore-point-not-found' } };
  expect(await room.call('POST', '/api/restores', { at: '2020-01-01T00:00:00Z' })).toMatchObject(nothing);
  const lost = 'nightly-20260101T000000Z-aaaaaa';
  expect(await room.call('POST', '/api/restores', { restorePoint: lost })).toMatchObject(nothing);
});

test('content that is missing or is something else is a failure by name; the rest is restored, and a retry mends it', async () => {
  await fill();
  const room = await start();
  await room.run();
  const mirror = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('databackup');
  const lost = mirror.getBlockBlobClient('of/plain/1');
  const { metadata } = await lost.getProperties();
  const content = await lost.downloadToBuffer();
  await lost.delete();
  const other = mirror.getBlockBlobClient('of/plain/2');
  const { metadata: about } = await other.getProperties();
  await other.upload('plain X', 7, { metadata: about! });

  const report = await restore(room, { target: { container: 'back' } });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { copied: 64, failed: 2 } });
  const failures = await room.outcomes(report.id, 'status=failed');
  expect(failures.map(({ name, code }) => [name, code])).toEqual([
    ['plain/1', 'content-missing'],
    ['plain/2', 'content-mismatch'],
  ]);

  await lost.upload(content, content.length, { metadata: metadata! });
  const retried = await room.call('POST', `/api/runs/${report.id}/retry`);
  expect(await room.ended(retried.body.id)).toMatchObject({
    status: 'completed-with-failures',
    counts: { listed: 2, copied: 1, failed: 1 },
  });
});

test('F28: with every answer of a copy lost, each blob is restored once, and told so', async () => {
  await fill();
  const before = await contentOf(source.connectionString, 'data');
  const room = await start({ limits: { retryDelayMs: 20 } });
  await room.run();
  const seen = new Set<string>();
  proxy.rules.push({
    match: ({ headers, path }) => {
      if (!('x-ms-copy-source' in headers) || !path.includes('/back/') || seen.has(path)) return false;
      seen.add(path);
      return true;
    },
    after: () => DROP,
  });
  const report = await restore(room, { target: { container: 'back' } });
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 66 } });
  expect(seen.size).toBe(66);
  expect(await contentOf(source.connectionString, 'back')).toEqual(before);
});
