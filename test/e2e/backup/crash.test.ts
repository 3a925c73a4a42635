import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer } from '../../support/builders/collection.ts';
import { type FaultProxy, type ProxiedRequest, startFaultProxy } from '../../support/faults/fault-proxy.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let dataDir: string;
let app: Strongroom | undefined;

const start = async (more: object = {}) => {
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    dataDir,
    limits: { sliceBlobs: 100, chunkBlobs: 50 },
    ...more,
  });
  return app;
};

const fill = async (count: number) => {
  const client = await makeContainer(source.connectionString, 'data');
  const name = (i: number) => `blob-${String(i).padStart(4, '0')}`;
  await Promise.all(
    Array.from({ length: count }, (_, i) => client.getBlockBlobClient(name(i)).upload(`v1 ${i}`, `v1 ${i}`.length)),
  );
};

beforeEach(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  dataDir = mkdtempSync(join(tmpdir(), 'strongroom-crash-'));
});

afterEach(async () => {
  await app?.host.stop();
  app = undefined;
  await proxy.stop();
});

test('killed again and again in the middle of a run, it carries on where it was and loses nothing', async () => {
  await fill(600);
  proxy.rules.push({ match: ({ headers }) => 'x-ms-copy-source' in headers, before: () => sleep(40) });
  let room = await start();
  const id = await room.start();
  for (const pause of [150, 400, 700, 300]) {
    await sleep(pause);
    await room.host.kill();
    room = await start();
  }
  const report = await room.ended(id);
  expect(report).toMatchObject({ id, status: 'succeeded', counts: { listed: 600, copied: 600, failed: 0 } });
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
  const outcomes = await room.outcomes(id);
  expect(new Set(outcomes.map(({ name }) => name)).size).toBe(600);
  expect(outcomes).toHaveLength(600);
  expect((await room.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: 600 });
});

test('SIGTERM ends it cleanly in the middle of a run; started again, it finishes that run', async () => {
  await fill(300);
  proxy.rules.push({ match: ({ headers }) => 'x-ms-copy-source' in headers, before: () => sleep(60) });
  let room = await start();
  const id = await room.start();
  await room.until(id, ({ counts }) => counts.listed > 0);
  expect(await room.host.stop()).toBe(0);
  room = await start();
  expect(await room.ended(id)).toMatchObject({ status: 'succeeded', counts: { listed: 300, copied: 300 } });
});

test('with the host and its journal lost, a new host takes the lock over and converges', async () => {
  await fill(200);
  proxy.rules.push({ match: ({ headers }) => 'x-ms-copy-source' in headers, before: () => sleep(60) });
  let room = await start();
  const id = await room.start();
  await room.until(id, ({ counts }) => counts.listed > 0);
  await room.host.kill();
  proxy.rules.length = 0;
  dataDir = mkdtempSync(join(tmpdir(), 'strongroom-crash-'));
  room = await start();
  // A run that was never heard of may just be starting: the lock is kept for it for a minute.
  const early = await room.call('POST', '/api/jobs/nightly/runs');
  expect(early).toMatchObject({ status: 409, body: { code: 'run-in-progress', run: id } });
  const lock = BlobServiceClient.fromConnectionString(vault.connectionString)
    .getContainerClient('strongroom')
    .getBlockBlobClient('locks/nightly.json');
  const held = JSON.parse((await lock.downloadToBuffer()).toString());
  const aged = JSON.stringify({ ...held, since: new Date(Date.now() - 61_000).toISOString() });
  await lock.upload(aged, aged.length);
  const report = await room.run({ mode: 'incremental' });
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 200, failed: 0 } });
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
  expect(await room.report(id)).toMatchObject({ status: 'failed', problems: [{ code: 'run-lost' }] });
});

test('F29: of a run that is publishing and is taken to be lost, exactly one end is written, and it stays', async () => {
  await fill(5);
  let publish = () => {};
  const held = new Promise<void>((resolve) => {
    publish = resolve;
  });
  const isSummary = (request: ProxiedRequest) => request.method === 'PUT' && request.path.endsWith('/run.json');
  proxy.rules.push({ match: isSummary, times: 1, before: () => held });
  let room = await start();
  const id = await room.start();
  await expect.poll(() => proxy.requests.some(isSummary), { timeout: 20_000 }).toBe(true);
  // The request is under way for good: no killing of the process calls it back.
  await room.host.kill();
  dataDir = mkdtempSync(join(tmpdir(), 'strongroom-crash-'));
  room = await start();
  const control = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('strongroom');
  const lock = control.getBlockBlobClient('locks/nightly.json');
  const aged = { ...JSON.parse((await lock.downloadToBuffer()).toString()), since: '2026-01-01T00:00:00.000Z' };
  await lock.upload(JSON.stringify(aged), JSON.stringify(aged).length);
  const next = await room.run({ mode: 'incremental' });
  expect(next).toMatchObject({ status: 'succeeded', counts: { listed: 5, unchanged: 5 } });
  publish();
  await expect.poll(() => proxy.requests.filter(isSummary)[0]?.status).toBeGreaterThanOrEqual(409);
  expect(await room.report(id)).toMatchObject({ status: 'failed', problems: [{ code: 'run-lost' }] });
  const { runs } = (await room.call('GET', '/api/runs')).body as unknown as { runs: { id: string; status: string }[] };
  expect(runs.map(({ id: each, status }) => [each, status])).toEqual([
    [next.id, 'succeeded'],
    [id, 'failed'],
  ]);
});

test('F29: activities of a terminated run stop when another run has taken the lock', async () => {
  await fill(300);
  proxy.rules.push({ match: ({ headers }) => 'x-ms-copy-source' in headers, before: () => sleep(100) });
  const room = await start();
  const id = await room.start();
  await room.until(id, ({ counts }) => counts.listed > 0);
  const client = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('strongroom');
  const lock = client.getBlockBlobClient('locks/nightly.json');
  const held = JSON.parse((await lock.downloadToBuffer()).toString());
  const stolen = JSON.stringify({
    ...held,
    epoch: held.epoch + 1,
    run: { ...held.run, id: 'nightly-20300101T000000Z-zzzzzz' },
  });
  await lock.upload(stolen, stolen.length);
  // Superseded, it must publish nothing: no summary of it ever appears.
  await expect.poll(() => room.host.output().includes('run-finished'), { timeout: 3000 }).toBe(false);
  await sleep(8000);
  expect(await client.getBlobClient(`jobs/nightly/runs/${id}/run.json`).exists()).toBe(false);
  expect(JSON.parse((await lock.downloadToBuffer()).toString()).epoch).toBe(held.epoch + 1);
});

test('I9: no key, signature or token is in the log, the journal, the vault or the catalog', async () => {
  await fill(20);
  const room = await start({ job: { method: 'async' } });
  proxy.rules.push({
    match: ({ headers }) => 'x-ms-copy-source' in headers,
    times: 30,
    answer: () => ({ status: 403, headers: { 'x-ms-error-code': 'CannotVerifyCopySource' }, body: '' }),
  });
  const { id } = await room.run();
  const texts = [room.host.output(), JSON.stringify(await room.report(id)), JSON.stringify(await room.outcomes(id))];
  texts.push(readFileSync(join(dataDir, 'durable.journal'), 'utf8'));
  const { gunzipSync } = await import('node:zlib');
  const control = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('strongroom');
  for await (const item of control.listBlobsFlat({ includeMetadata: true })) {
    const body = await control.getBlobClient(item.name).downloadToBuffer();
    texts.push(JSON.stringify(item), (item.name.endsWith('.gz') ? gunzipSync(body) : body).toString());
  }
  const { TableClient } = await import('@azure/data-tables');
  const table = TableClient.fromConnectionString(vault.connectionString, 'strongroom', {
    allowInsecureConnection: true,
  });
  for await (const entity of table.listEntities()) texts.push(JSON.stringify(entity));
  const all = texts.join('\n');
  // The signatures that were really sent, as the proxy saw them: this test would be blind without them.
  const signatures = proxy.requests.flatMap(
    ({ headers }) => /[?&]sig=([^&]+)/.exec(headers['x-ms-copy-source'] ?? '')?.[1] ?? [],
  );
  expect(signatures.length).toBeGreaterThan(0);
  for (const secret of [...signatures, ...signatures.map(decodeURIComponent), source.key, vault.key]) {
    expect(all.includes(secret), 'a secret').toBe(false);
  }
  expect(all).not.toMatch(/[?&]sig=|AccountKey=|SharedKey /);
});
