import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostDidNotStart } from '../../support/app/host-process.ts';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer } from '../../support/builders/collection.ts';
import { type FaultProxy, startFaultProxy } from '../../support/faults/fault-proxy.ts';

let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let app: Strongroom | undefined;

const start = async (more: object = {}) => {
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    ...more,
  });
  return app;
};

const fill = async (count: number, container = 'data') => {
  const client = await makeContainer(source.connectionString, container);
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      client.getBlockBlobClient(`blob-${i}`).upload(`text ${i}`, `text ${i}`.length),
    ),
  );
};

const slowCopies = (ms: number) => {
  const slow = { match: ({ headers }: { headers: object }) => 'x-ms-copy-source' in headers, before: () => sleep(ms) };
  proxy.rules.push(slow);
  return () => proxy.rules.splice(proxy.rules.indexOf(slow), 1);
};

beforeEach(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
});

afterEach(async () => {
  await app?.host.stop();
  app = undefined;
  await proxy.stop();
});

test('F30: of fifty starts at once exactly one starts, and the others name it', async () => {
  await fill(5);
  const room = await start();
  const hurry = slowCopies(300);
  const answers = await Promise.all(Array.from({ length: 50 }, () => room.call('POST', '/api/jobs/nightly/runs')));
  const started = answers.filter(({ status }) => status === 202);
  expect(started).toHaveLength(1);
  const others = answers.filter(({ status }) => status === 409);
  expect(others).toHaveLength(49);
  for (const { body } of others) {
    if (body.code === 'run-in-progress') expect(body.run).toBe(started[0]!.body.id);
    else expect(body.code).toBe('lock-contended');
  }
  expect(others.some(({ body }) => body.code === 'run-in-progress')).toBe(true);
  hurry();
  expect(await room.ended(started[0]!.body.id)).toMatchObject({ status: 'succeeded', counts: { copied: 5 } });
});

test('a running run reports progress; cancelled, it ends within seconds, and the next run finishes the work', async () => {
  await fill(400);
  const room = await start();
  const hurry = slowCopies(400);
  const id = await room.start();
  const midway = await room.until(id, ({ counts }) => counts.copied > 0 && counts.copied < 400);
  expect(midway.status).toBe('running');
  expect(midway.progress.fraction).toBeGreaterThan(0);
  expect(midway.progress.fraction).toBeLessThan(1);
  expect(midway.progress.secondsLeft).toBeGreaterThan(0);
  const wish = await room.call('POST', `/api/runs/${id}/cancel`);
  expect(wish).toMatchObject({ status: 202, body: { cancelling: true } });
  const report = await room.ended(id, 20);
  expect(report.status).toBe('cancelled');
  expect(report.counts.copied).toBeLessThan(400);
  const before = Object.keys(await lookInto(vault.connectionString, 'databackup')).length;
  expect(before).toBeLessThan(400);
  hurry();
  const next = await room.run({ mode: 'incremental' });
  expect(next).toMatchObject({ status: 'succeeded', counts: { listed: 400, failed: 0 } });
  expect(next.counts.unchanged).toBe(before);
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
});

test('a lock whose run is gone is taken over, and the lost run is told as failed', async () => {
  await fill(3);
  const room = await start();
  const first = await room.run();
  const lock = BlobServiceClient.fromConnectionString(vault.connectionString)
    .getContainerClient('strongroom')
    .getBlockBlobClient('locks/nightly.json');
  const held = JSON.parse((await lock.downloadToBuffer()).toString());
  const lost = { ...first, id: 'nightly-20200101T000000Z-aaaaaa', epoch: 9 };
  const text = JSON.stringify({ ...held, epoch: 9, run: lost, since: '2020-01-01T00:00:00.000Z' });
  await lock.upload(text, text.length);
  expect(await room.report(lost.id)).toMatchObject({ status: 'failed', problems: [{ code: 'run-lost' }] });
  expect(await room.run({ mode: 'incremental' })).toMatchObject({ status: 'succeeded', counts: { unchanged: 3 } });
});

test('many small slices and chunks add up like one', async () => {
  await fill(230);
  await fill(40, 'more');
  const room = await start({ limits: { sliceBlobs: 1, chunkBlobs: 7, sliceChunks: 2, copyMs: 1 } });
  const report = await room.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 270, copied: 270 } });
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
  const outcomes = await room.outcomes(report.id, 'limit=50');
  expect(outcomes).toHaveLength(270);
  expect(new Set(outcomes.map(({ container, name }) => `${container}/${name}`)).size).toBe(270);
});

test('requests that cannot be done are told apart, with a stable code and a hint', async () => {
  await fill(1);
  const room = await start();
  const { id } = await room.run();
  const cases: [string, string, unknown, number, string][] = [
    ['POST', '/api/jobs/other/runs', undefined, 404, 'job-not-found'],
    ['POST', '/api/jobs/nightly/runs', '{', 400, 'body-not-json'],
    ['POST', '/api/jobs/nightly/runs', { mode: 'half' }, 400, 'body-invalid'],
    ['POST', '/api/jobs/nightly/runs', { dryrun: true }, 400, 'body-invalid'],
    ['POST', '/api/jobs/nightly/runs', [], 400, 'body-invalid'],
    ['GET', '/api/runs/nothing', undefined, 404, 'run-not-found'],
    ['GET', '/api/runs/nightly-20260101T000000Z-abcdef', undefined, 404, 'run-not-found'],
    ['GET', `/api/runs/${id}/outcomes?status=odd`, undefined, 400, 'query-invalid'],
    ['GET', `/api/runs/${id}/outcomes?cursor=x`, undefined, 400, 'cursor-invalid'],
    ['GET', '/api/runs?cursor=x', undefined, 400, 'cursor-invalid'],
    ['GET', '/api/runs?limit=0', undefined, 400, 'query-invalid'],
    ['POST', `/api/runs/${id}/cancel`, undefined, 409, 'run-ended'],
    ['POST', `/api/runs/${id}/retry`, undefined, 409, 'nothing-to-retry'],
  ];
  for (const [method, path, body, status, code] of cases) {
    const answer = await room.call(method, path, body);
    expect({ status: answer.status, code: answer.body.code }, `${method} ${path}`).toEqual({ status, code });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body.detail).toBeTypeOf('string');
  }
});

test('a bad configuration stops the start with every problem and no stack trace', async () => {
  const attempt = start({
    jobs: [
      {
        name: 'Bad Name',
        schedule: 'at noon',
        source: { account: 'NOWHERE', containers: ['a*'] },
        destination: { account: 'VAULT', container: 'fixed' },
      },
    ],
  });
  const error = (await attempt.catch((reason) => reason)) as HostDidNotStart;
  expect(error).toBeInstanceOf(HostDidNotStart);
  expect(error.exitCode).toBe(2);
  for (const part of ['jobs[0].name', 'jobs[0].schedule', 'NOWHERE']) expect(error.output).toContain(part);
  expect(error.output).not.toMatch(/^\s+at /m);
});

test('F40: a destination inside the source stops the start and names the overlap', async () => {
  const attempt = start({ job: { destination: { account: 'SOURCE', container: '{container}backup' } } });
  const error = (await attempt.catch((reason) => reason)) as HostDidNotStart;
  expect(error.exitCode).toBe(2);
  expect(error.output).toContain('"*backup" (of "*") overlaps');
});

test('as soon as a run says that it has ended, the next one can be started', async () => {
  await fill(1);
  const room = await start();
  // Between the summary and the release of the lock there are two requests; make them slow.
  proxy.rules.push({
    match: ({ path, method }) => method === 'PUT' && path.endsWith('/locks/nightly.json'),
    times: 2,
    before: ({ body }) => sleep(body.toString().includes('"run": null') ? 1500 : 0),
  });
  await room.run();
  const next = await room.call('POST', '/api/jobs/nightly/runs', { mode: 'incremental' });
  expect(next.status).toBe(202);
  expect(await room.ended(next.body.id)).toMatchObject({ status: 'succeeded', counts: { unchanged: 1 } });
});

test('only the latest run can be retried: the restore point of an older one would hide what came after', async () => {
  await fill(1);
  const room = await start({ job: { source: { account: 'SOURCE', containers: ['data', 'missing'] } } });
  const older = await room.run();
  const latest = await room.run({ mode: 'incremental' });
  expect(await room.call('POST', `/api/runs/${older.id}/retry`)).toMatchObject({
    status: 409,
    body: { code: 'nothing-to-retry' },
  });
  expect((await room.call('POST', `/api/runs/${latest.id}/retry`)).status).toBe(202);
});

test('a run that does not move can be ended by force, and the next one starts at once', async () => {
  await fill(3);
  const room = await start();
  const hang = slowCopies(3_600_000);
  const id = await room.start();
  await expect.poll(() => proxy.requests.some(({ headers }) => 'x-ms-copy-source' in headers)).toBe(true);
  const ended = await room.call('POST', `/api/runs/${id}/cancel`, { force: true });
  expect(ended).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
  expect(await room.report(id)).toMatchObject({ status: 'cancelled', counts: { copied: 0 } });
  expect((await room.call('POST', `/api/runs/${id}/cancel`, { force: true })).body.code).toBe('run-ended');
  hang();
  expect(await room.run()).toMatchObject({ status: 'succeeded', counts: { copied: 3 } });
  expect(await room.report(id)).toMatchObject({ status: 'cancelled' });
});

test('a run whose job has left the configuration can still be ended', async () => {
  await fill(3);
  slowCopies(3_600_000);
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-control-'));
  let room = await start({ dataDir });
  const id = await room.start();
  await expect.poll(() => proxy.requests.some(({ headers }) => 'x-ms-copy-source' in headers)).toBe(true);
  await room.host.kill();
  const source = { account: 'SOURCE', containers: ['data'] };
  const destination = { account: 'VAULT', container: '{container}backup' };
  room = await start({ dataDir, jobs: [{ name: 'another', source, destination }] });
  const ended = await room.call('POST', `/api/runs/${id}/cancel`, { force: true });
  expect(ended.status).toBe(200);
  expect(['cancelled', 'failed']).toContain(ended.body.status);
  expect((await room.report(id)).status).toBe(ended.body.status);
  rmSync(dataDir, { recursive: true, force: true });
});
