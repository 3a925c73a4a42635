import { expect, test } from 'vitest';
import { HostDidNotStart } from '../../support/app/host-process.ts';
import { useTestBed } from '../../support/app/test-bed.ts';
import { lookInto } from '../../support/builders/collection.ts';
import type { ProxiedRequest } from '../../support/faults/fault-proxy.ts';
import { isCopy } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed();
const copyArrived = () => bed.proxy.requests.some(isCopy);

test('F30: of fifty starts at once exactly one succeeds, and the others name its run', async () => {
  await bed.fill(5);
  const app = await bed.start();
  const hurry = bed.slowCopies(300);
  const answers = await Promise.all(Array.from({ length: 50 }, () => app.call('POST', '/api/jobs/nightly/runs')));
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
  expect(await app.ended(started[0]!.body.id)).toMatchObject({ status: 'succeeded', counts: { copied: 5 } });
});

test('a run reports progress and ends within seconds of a cancel, and the next run finishes the work', async () => {
  await bed.fill(100);
  const app = await bed.start({ limits: { copiesAtOnce: 8 } });
  const hurry = bed.slowCopies(800);
  const id = await app.start();
  const midway = await app.until(id, ({ counts }) => counts.copied > 0 && counts.copied < 100);
  expect(midway.status).toBe('running');
  expect(midway.progress.fraction).toBeGreaterThan(0);
  expect(midway.progress.fraction).toBeLessThan(1);
  expect(midway.progress.secondsLeft).toBeGreaterThan(0);
  const request = await app.call('POST', `/api/runs/${id}/cancel`);
  expect(request).toMatchObject({ status: 202, body: { cancelling: true } });
  const report = await app.ended(id, 20);
  expect(report.status).toBe('cancelled');
  expect(report.counts.copied).toBeLessThan(100);
  const before = Object.keys(await lookInto(bed.vault.connectionString, 'databackup')).length;
  expect(before).toBeLessThan(100);
  hurry();
  const next = await app.run({ mode: 'incremental' });
  expect(next).toMatchObject({ status: 'succeeded', counts: { listed: 100, failed: 0 } });
  expect(next.counts.unchanged).toBe(before);
  await bed.expectBackedUp();
});

test('a run takes over a lock whose run is gone, and the lost run is reported as failed', async () => {
  await bed.fill(3);
  const app = await bed.start({ limits: { silentMs: 1_000 } });
  const first = await app.run();
  const lost = { ...first, id: 'nightly-20200101T000000Z-aaaaaa', epoch: 9 };
  await bed.rewriteLock((lock) => ({ ...lock, epoch: 9, run: lost }));
  const report = await app.until(lost.id, ({ status }) => status !== 'running');
  expect(report).toMatchObject({ status: 'failed', problems: [{ code: 'run-lost' }] });
  expect(await app.run({ mode: 'incremental' })).toMatchObject({ status: 'succeeded', counts: { unchanged: 3 } });
});

test('a run of many small slices and chunks copies and reports the same as a run of large ones', async () => {
  await bed.fill(120);
  await bed.fill(20, 'more');
  const app = await bed.start({ limits: { sliceBlobs: 1, chunkBlobs: 7, sliceChunks: 2, copyMs: 1 } });
  const report = await app.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 140, copied: 140 } });
  await bed.expectBackedUp();
  const outcomes = await app.outcomes(report.id, 'limit=50');
  expect(outcomes).toHaveLength(140);
  expect(new Set(outcomes.map(({ container, name }) => `${container}/${name}`)).size).toBe(140);
});

test('each request that cannot be done is refused with a code of its own and a detail', async () => {
  await bed.fill(1);
  const app = await bed.start();
  const { id } = await app.run();
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
    const answer = await app.call(method, path, body);
    expect({ status: answer.status, code: answer.body.code }, `${method} ${path}`).toEqual({ status, code });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body.detail).toBeTypeOf('string');
  }
});

test('the host does not start with a bad configuration, and prints every problem without a stack trace', async () => {
  const attempt = bed.start({
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

test('F40: the host does not start with a destination inside the source, and names the overlap', async () => {
  const attempt = bed.start({ job: { destination: { account: 'SOURCE', container: '{container}backup' } } });
  const error = (await attempt.catch((reason) => reason)) as HostDidNotStart;
  expect(error.exitCode).toBe(2);
  expect(error.output).toContain('"*backup" (of "*") overlaps');
});

test('the next run can start as soon as a report says that a run has ended', async () => {
  await bed.fill(1);
  const app = await bed.start();
  // The release of the lock follows the summary: it is held back until the next run has been started.
  let release = () => {};
  const started = new Promise<void>((resolve) => {
    release = resolve;
  });
  const isRelease = ({ path, method, body }: ProxiedRequest) =>
    method === 'PUT' && path.endsWith('/locks/nightly.json') && body.toString().includes('"run": null');
  bed.proxy.rules.push({ match: isRelease, times: 1, before: () => started });
  const id = await app.start();
  // The host prints the end of a run only after the release.
  await app.until(id, ({ status }) => status !== 'running');
  expect(app.host.output()).not.toContain('run-finished');
  const next = await app.call('POST', '/api/jobs/nightly/runs', { mode: 'incremental' });
  release();
  expect(next.status).toBe(202);
  expect(await app.ended(next.body.id)).toMatchObject({ status: 'succeeded', counts: { unchanged: 1 } });
});

test('only the latest run can be retried: a restore point of an older one would hide what came after it', async () => {
  await bed.fill(1);
  const app = await bed.start({ job: { source: { account: 'SOURCE', containers: ['data', 'missing'] } } });
  const older = await app.run();
  const latest = await app.run({ mode: 'incremental' });
  expect(await app.call('POST', `/api/runs/${older.id}/retry`)).toMatchObject({
    status: 409,
    body: { code: 'nothing-to-retry' },
  });
  expect((await app.call('POST', `/api/runs/${latest.id}/retry`)).status).toBe(202);
});

test('a run that makes no progress can be ended by force, and the next run starts at once', async () => {
  await bed.fill(3);
  const app = await bed.start();
  const hang = bed.slowCopies(3_600_000);
  const id = await app.start();
  await expect.poll(copyArrived, { timeout: 20_000 }).toBe(true);
  const ended = await app.call('POST', `/api/runs/${id}/cancel`, { force: true });
  expect(ended).toMatchObject({ status: 200, body: { id, status: 'cancelled' } });
  expect(await app.report(id)).toMatchObject({ status: 'cancelled', counts: { copied: 0 } });
  expect((await app.call('POST', `/api/runs/${id}/cancel`, { force: true })).body.code).toBe('run-ended');
  hang();
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { copied: 3 } });
  expect(await app.report(id)).toMatchObject({ status: 'cancelled' });
});

test('a run whose job is no longer in the configuration can still be ended', async () => {
  await bed.fill(3);
  bed.slowCopies(3_600_000);
  let app = await bed.start();
  const id = await app.start();
  await expect.poll(copyArrived, { timeout: 20_000 }).toBe(true);
  await app.host.kill();
  const source = { account: 'SOURCE', containers: ['data'] };
  const destination = { account: 'VAULT', container: '{container}backup' };
  app = await bed.start({ jobs: [{ name: 'another', source, destination }] });
  const ended = await app.call('POST', `/api/runs/${id}/cancel`, { force: true });
  expect(ended.status).toBe(200);
  expect(['cancelled', 'failed']).toContain(ended.body.status);
  expect((await app.report(id)).status).toBe(ended.body.status);
});
