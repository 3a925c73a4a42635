import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { isCopy, type ProxiedRequest } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed({ app: { limits: { sliceBlobs: 40, chunkBlobs: 20 } } });
/** Of another host, a run without a sign of life for this time is lost. */
const IMPATIENT = { limits: { silentMs: 3_000 } };

test('a run whose host is killed again and again continues where it was and loses nothing', async () => {
  await bed.fill(240);
  bed.slowCopies(100);
  let app = await bed.start();
  const id = await app.start();
  for (const pause of [150, 400, 700, 300]) {
    await sleep(pause);
    await app.host.kill();
    app = await bed.start();
  }
  const report = await app.ended(id);
  expect(report).toMatchObject({ id, status: 'succeeded', counts: { listed: 240, copied: 240, failed: 0 } });
  await bed.expectBackedUp();
  const outcomes = await app.outcomes(id);
  expect(new Set(outcomes.map(({ name }) => name)).size).toBe(240);
  expect(outcomes).toHaveLength(240);
  expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, unchanged: 240 });
});

test('a run whose work items stay invisible for a while after a kill waits, is not taken for lost, and ends right', async () => {
  await bed.fill(120);
  const hurry = bed.slowCopies(150);
  let app = await bed.start();
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.copied > 0);
  await app.host.kill();
  hurry();
  const before = bed.proxy.requests.filter(isCopy).length;
  app = await bed.start({ rough: { HIDDEN: '1' } });
  expect(await app.call('POST', '/api/jobs/nightly/runs')).toMatchObject({ status: 409, body: { run: id } });
  const { counts } = await app.report(id);
  await sleep(1_000);
  expect(await app.report(id)).toMatchObject({ status: 'running', counts });
  expect(bed.proxy.requests.filter(isCopy)).toHaveLength(before);
  await app.call('POST', '/api/show');
  expect(await app.ended(id)).toMatchObject({ status: 'succeeded', counts: { listed: 120, copied: 120, failed: 0 } });
  await bed.expectBackedUp();
});

test('SIGTERM ends a host in the middle of a run, and the next host finishes that run', async () => {
  await bed.fill(120);
  bed.slowCopies(150);
  let app = await bed.start();
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.listed > 0);
  expect(await app.host.stop()).toBe(0);
  app = await bed.start();
  expect(await app.ended(id)).toMatchObject({ status: 'succeeded', counts: { listed: 120, copied: 120 } });
});

test('F6: a host without the journal of the last one takes the lock over once the run is silent, and finishes the work', async () => {
  await bed.fill(80);
  const hurry = bed.slowCopies(150);
  let app = await bed.start(IMPATIENT);
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.listed > 0);
  await app.host.kill();
  hurry();
  bed.loseData();
  app = await bed.start(IMPATIENT);
  // Another host may have its orchestration: it is lost only once it has been silent for long enough.
  await app.until(id, ({ status }) => status === 'failed');
  const report = await app.run({ mode: 'incremental' });
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 80, failed: 0 } });
  await bed.expectBackedUp();
  expect(await app.report(id)).toMatchObject({ status: 'failed', problems: [{ code: 'run-lost' }] });
});

test('F29: a run that is taken for lost while it publishes gets exactly one end, and keeps it', async () => {
  await bed.fill(5);
  const { promise: held, resolve: publish } = Promise.withResolvers<void>();
  const isSummary = (request: ProxiedRequest) => request.method === 'PUT' && request.path.endsWith('/run.json');
  bed.proxy.rules.push({ match: isSummary, times: 1, before: () => held });
  let app = await bed.start();
  const id = await app.start();
  await expect.poll(() => bed.proxy.requests.some(isSummary), { timeout: 20_000 }).toBe(true);
  // The kill does not call back the request that is on its way.
  await app.host.kill();
  bed.loseData();
  app = await bed.start(IMPATIENT);
  await app.until(id, ({ status }) => status === 'failed');
  const next = await app.run({ mode: 'incremental' });
  expect(next).toMatchObject({ status: 'succeeded', counts: { listed: 5, unchanged: 5 } });
  publish();
  await expect.poll(() => bed.proxy.requests.filter(isSummary)[0]?.status).toBeGreaterThanOrEqual(409);
  expect(await app.report(id)).toMatchObject({ status: 'failed', problems: [{ code: 'run-lost' }] });
  const { runs } = (await app.call('GET', '/api/runs')).body as unknown as { runs: { id: string; status: string }[] };
  expect(runs.map(({ id: each, status }) => [each, status])).toEqual([
    [next.id, 'succeeded'],
    [id, 'failed'],
  ]);
});

test('F29: the activities of a run stop when another run has taken its lock', async () => {
  await bed.fill(120);
  bed.slowCopies(250);
  const app = await bed.start();
  const id = await app.start();
  await app.until(id, ({ counts }) => counts.listed > 0);
  const held = await bed.lock();
  const other = { ...held.run, id: 'nightly-20300101T000000Z-zzzzzz', epoch: held.epoch + 1 };
  await bed.rewriteLock((lock) => ({ ...lock, epoch: held.epoch + 1, run: other }));
  const journal = () => readFileSync(join(bed.dataDir, 'durable.journal'), 'utf8');
  await expect.poll(journal, { timeout: 60_000 }).toContain(String.raw`"{\"status\":\"superseded\"}"`);
  // A superseded run publishes nothing.
  expect(app.host.output()).not.toContain('run-finished');
  expect(await bed.control.getBlobClient(`jobs/nightly/runs/${id}/run.json`).exists()).toBe(false);
  expect((await bed.lock()).epoch).toBe(held.epoch + 1);
});

test('I9: no key, signature or token is in the log, the journal, the vault or the catalog', async () => {
  await bed.fill(20);
  const app = await bed.start({ job: { method: 'async' } });
  bed.proxy.rules.push({
    match: isCopy,
    times: 30,
    answer: () => ({ status: 403, headers: { 'x-ms-error-code': 'CannotVerifyCopySource' }, body: '' }),
  });
  const { id } = await app.run();
  const texts = [app.host.output(), JSON.stringify(await app.report(id)), JSON.stringify(await app.outcomes(id))];
  texts.push(readFileSync(join(bed.dataDir, 'durable.journal'), 'utf8'));
  for await (const item of bed.control.listBlobsFlat({ includeMetadata: true })) {
    const body = await bed.control.getBlobClient(item.name).downloadToBuffer();
    texts.push(JSON.stringify(item), (item.name.endsWith('.gz') ? gunzipSync(body) : body).toString());
  }
  const table = TableClient.fromConnectionString(bed.vault.connectionString, 'strongroom', {
    allowInsecureConnection: true,
  });
  for await (const entity of table.listEntities()) texts.push(JSON.stringify(entity));
  const all = texts.join('\n');
  // The signatures that the proxy saw: without them, the test could find nothing.
  const signatures = bed.proxy.requests.flatMap(
    ({ headers }) => /[?&]sig=([^&]+)/.exec(headers['x-ms-copy-source'] ?? '')?.[1] ?? [],
  );
  expect(signatures.length).toBeGreaterThan(0);
  for (const secret of [...signatures, ...signatures.map(decodeURIComponent), bed.source.key, bed.vault.key]) {
    expect(all.includes(secret), 'a secret').toBe(false);
  }
  expect(all).not.toMatch(/[?&]sig=|AccountKey=|SharedKey /);
});
