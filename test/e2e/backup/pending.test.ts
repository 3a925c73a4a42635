import { beforeEach, expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import type { ProxiedRequest, ProxiedResponse } from '../../support/faults/fault-proxy.ts';

/**
 * Azurite's copies succeed at once. The proxy changes its answers to those of Azure: the copy has really happened, and
 * the app sees it as pending, as failed, or as another writer's.
 */
const bed = useTestBed({ app: { job: { method: 'async' } } });

beforeEach(() => bed.upload('big', 'a large blob'));

const toBackup = (request: ProxiedRequest, name = '') => request.path.includes(`/${bed.vault.name}/databackup/${name}`);
const isStart = (request: ProxiedRequest) =>
  toBackup(request) &&
  'x-ms-copy-source' in request.headers &&
  !('x-ms-requires-sync' in request.headers) &&
  !request.query.has('comp');
const isCheck = (request: ProxiedRequest) => toBackup(request) && request.method === 'HEAD';
const isAbort = (request: ProxiedRequest) => toBackup(request) && request.query.get('comp') === 'copy';
const isBlock = (request: ProxiedRequest) => toBackup(request) && request.query.get('comp') === 'block';

const withHeaders = (response: ProxiedResponse, headers: Record<string, string>) => ({
  ...response,
  headers: { ...response.headers, ...headers },
});

/** Every copy that is started from now on is shown as pending, and `statuses` decides what each check of it shows. */
const pretendPending = (statuses: () => string) => {
  bed.proxy.rules.push(
    { match: isStart, after: (_, response) => withHeaders(response, { 'x-ms-copy-status': 'pending' }) },
    {
      match: isCheck,
      after: (_, response) => {
        if (response.status !== 200 || !response.headers['x-ms-copy-id']) return response;
        const status = statuses();
        const failed = status === 'failed' || status === 'aborted';
        return withHeaders(response, { 'x-ms-copy-status': status, ...(failed && { 'content-length': '0' }) });
      },
    },
    { match: isAbort, answer: () => ({ status: 204, headers: {}, body: '' }) },
  );
};

const sequence =
  (...statuses: string[]) =>
  () =>
    statuses.length > 1 ? statuses.shift()! : statuses[0]!;

test('F3: a run waits for a pending copy, and counts it only after it succeeded', async () => {
  pretendPending(sequence('pending', 'pending', 'success'));
  const app = await bed.start();
  const id = await app.start();
  await app.until(id, () => bed.proxy.requests.some(isCheck));
  expect(await app.report(id)).toMatchObject({ status: 'running', counts: { listed: 1, copied: 0 } });
  const report = await app.ended(id);
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 1, copied: 1 } });
  expect(await app.outcomes(id)).toMatchObject([{ name: 'big', status: 'copied', method: 'async' }]);
  expect(bed.proxy.requests.filter(isStart)).toHaveLength(1);
});

test('F2: a copy that fails is started again, and a copy that fails again is made in blocks', async () => {
  pretendPending(() => 'failed');
  const app = await bed.start({ job: { method: 'auto' } });
  // The listing shows a size above the limit of a synchronous copy: then auto copies asynchronously.
  const size = String(300 * 2 ** 20);
  bed.proxy.rules.push({
    match: ({ path, query }) => path.endsWith(`/${bed.source.name}/data`) && query.get('comp') === 'list',
    after: (_, response) => ({
      ...response,
      body: response.body.toString().replace(/<Content-Length>12</, `<Content-Length>${size}<`),
    }),
  });
  const report = await app.run();
  expect(bed.proxy.requests.filter(isStart)).toHaveLength(2);
  expect(bed.proxy.requests.some(isBlock)).toBe(true);
  // With this size, the ranges of the blocks reach beyond the blob: the service refuses them, and the blob fails.
  expect(report.counts.listed).toBe(1);
  expect(report.status).not.toBe('succeeded');
});

test('F2: a page blob whose copy always fails is reported by name, and its earlier content stays', async () => {
  const client = await makeContainer(bed.source.connectionString, 'data');
  await client.deleteBlob('big');
  const page = client.getPageBlobClient('disk');
  await page.create(512);
  const app = await bed.start();
  await app.run();
  // Created again: the emulator shares pages between a blob and its copies.
  await page.create(512);
  await page.uploadPages(Buffer.alloc(512, 1), 0, 512);
  pretendPending(() => 'failed');
  const report = await app.run({ mode: 'incremental' });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 1, copied: 0, failed: 1 } });
  expect(await app.outcomes(report.id, 'status=failed')).toMatchObject([{ name: 'disk', code: 'copy-failed' }]);
  const snapshots = await snapshotsOf(bed.vault.connectionString, 'databackup', 'disk');
  expect(snapshots[0]).toBe('\0'.repeat(512));
  bed.proxy.rules.length = 0;
  await app.retry(report.id);
  await bed.expectBackedUp();
});

test('F9: the success of a copy with another id does not count as success of our copy', async () => {
  let checks = 0;
  bed.proxy.rules.push(
    { match: isStart, times: 1, after: (_, response) => withHeaders(response, { 'x-ms-copy-status': 'pending' }) },
    {
      match: isCheck,
      after: (_, response) => {
        checks++;
        if (checks > 1) return response;
        // Another writer's copy over ours: it succeeded, without our record.
        const headers = Object.fromEntries(
          Object.entries(response.headers).filter(([key]) => !key.startsWith('x-ms-meta-')),
        );
        return { ...response, headers: { ...headers, 'x-ms-copy-id': 'c0ffee00-0000-4000-8000-000000000000' } };
      },
    },
  );
  const app = await bed.start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(checks).toBeGreaterThan(1);
  await bed.expectBackedUp();
});

test('F9: a copy whose state has vanished does not count as done', async () => {
  bed.proxy.rules.push(
    { match: isStart, times: 1, after: (_, response) => withHeaders(response, { 'x-ms-copy-status': 'pending' }) },
    {
      match: isCheck,
      times: 2,
      after: (_, response) => {
        const others = Object.entries(response.headers).filter(([key]) => !/^x-ms-(copy|meta)-/.test(key));
        return { ...response, headers: Object.fromEntries(others) };
      },
    },
  );
  const app = await bed.start();
  const report = await app.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(bed.proxy.requests.filter(isStart)).toHaveLength(2);
});

test('a copy that is pending past its deadline is aborted by its id and made in blocks', async () => {
  pretendPending(() => 'pending');
  const app = await bed.start({ limits: { copyDeadlineMs: 1500 } });
  // After the abort, the service shows the blob as it is: here the emulator's finished copy.
  bed.proxy.rules.unshift({
    match: (request) => isCheck(request) && bed.proxy.requests.some(isAbort),
    after: (_, response) => withHeaders(response, { 'x-ms-copy-status': 'aborted' }),
  });
  const report = await app.run();
  const [abort] = bed.proxy.requests.filter(isAbort);
  expect(abort?.query.get('copyid')).toBeTruthy();
  expect(bed.proxy.requests.some(isBlock)).toBe(true);
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  await bed.expectBackedUp();
});

test('a cancelled run aborts its pending copies by their ids', async () => {
  pretendPending(() => 'pending');
  const app = await bed.start();
  const id = await app.start();
  await app.until(id, () => bed.proxy.requests.some(isCheck));
  await app.call('POST', `/api/runs/${id}/cancel`);
  expect((await app.ended(id, 30)).status).toBe('cancelled');
  expect(bed.proxy.requests.filter(isAbort)).toHaveLength(1);
});

test("F36: another writer's pending copy is aborted by its id, and ours is made in its place", async () => {
  const backup = await makeContainer(bed.vault.connectionString, 'databackup');
  await backup.getBlockBlobClient('big').upload('foreign', 7);
  let aborted = false;
  const foreign = 'deadbeef-0000-4000-8000-000000000000';
  bed.proxy.rules.push(
    {
      match: ({ path, query }) => path.endsWith('/databackup') && query.get('comp') === 'list',
      after: (_, response) => ({
        ...response,
        body: response.body
          .toString()
          .replace('</Properties>', `<CopyId>${foreign}</CopyId><CopyStatus>pending</CopyStatus></Properties>`),
      }),
    },
    {
      match: isAbort,
      answer: () => {
        aborted = true;
        return { status: 204, headers: {}, body: '' };
      },
    },
  );
  const app = await bed.start();
  const report = await app.run({ mode: 'incremental' });
  expect(aborted).toBe(true);
  expect(bed.proxy.requests.filter(isAbort)[0]?.query.get('copyid')).toBe(foreign);
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  await bed.expectBackedUp();
});

test('F37: a run adopts the copy that it started when the answer to the start was lost', async () => {
  bed.proxy.rules.push({ match: isStart, times: 1, after: () => 'drop' });
  const app = await bed.start();
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  // The second start retries the first and is refused, since the blob exists. A third would be another copy.
  expect(bed.proxy.requests.filter(isStart)).toHaveLength(2);
});
