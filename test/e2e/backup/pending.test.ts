import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer, snapshotsOf } from '../../support/builders/collection.ts';
import {
  type FaultProxy,
  type ProxiedRequest,
  type ProxiedResponse,
  startFaultProxy,
} from '../../support/faults/fault-proxy.ts';

/**
 * Azurite's copies succeed at once. What Azure shows instead is put into its answers on the way: the copy has really
 * happened, and the app is told that it is pending, failed, or someone else's.
 */
let source: TestAccount;
let vault: TestAccount;
let proxy: FaultProxy;
let app: Strongroom | undefined;

const start = async (more: object = {}, method = 'async') => {
  app = await startStrongroom({
    source: proxy.connectionString(source),
    vault: proxy.connectionString(vault),
    job: { method },
    ...more,
  });
  return app;
};

const upload = async (name: string, text: string) => {
  const client = await makeContainer(source.connectionString, 'data');
  await client.getBlockBlobClient(name).upload(text, Buffer.byteLength(text));
};

const inMirror = (request: ProxiedRequest, name = '') => request.path.includes(`/${vault.name}/databackup/${name}`);
const isStart = (request: ProxiedRequest) =>
  inMirror(request) &&
  'x-ms-copy-source' in request.headers &&
  !('x-ms-requires-sync' in request.headers) &&
  !request.query.has('comp');
const isLook = (request: ProxiedRequest) => inMirror(request) && request.method === 'HEAD';
const isAbort = (request: ProxiedRequest) => inMirror(request) && request.query.get('comp') === 'copy';
const isBlock = (request: ProxiedRequest) => inMirror(request) && request.query.get('comp') === 'block';

const withHeaders = (response: ProxiedResponse, headers: Record<string, string>) => ({
  ...response,
  headers: { ...response.headers, ...headers },
});

/** Every copy that is started from now on is told to be pending; `status` is what the looks after that show. */
const pretendPending = (statuses: () => string) => {
  proxy.rules.push(
    { match: isStart, after: (_, response) => withHeaders(response, { 'x-ms-copy-status': 'pending' }) },
    {
      match: isLook,
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

beforeEach(async () => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  proxy = await startFaultProxy(new URL(vault.blobEndpoint).origin);
  await upload('big', 'a large blob');
});

afterEach(async () => {
  await app?.host.stop();
  app = undefined;
  await proxy.stop();
});

test('F3: a pending copy is waited for, and counts only once it has succeeded', async () => {
  pretendPending(sequence('pending', 'pending', 'success'));
  const room = await start();
  const id = await room.start();
  await room.until(id, () => proxy.requests.some(isLook));
  expect(await room.report(id)).toMatchObject({ status: 'running', counts: { listed: 1, copied: 0 } });
  const report = await room.ended(id);
  expect(report).toMatchObject({ status: 'succeeded', counts: { listed: 1, copied: 1 } });
  expect(await room.outcomes(id)).toMatchObject([{ name: 'big', status: 'copied', method: 'async' }]);
  expect(proxy.requests.filter(isStart)).toHaveLength(1);
});

test('F2: a copy that fails is started again; one that keeps failing is made in blocks instead', async () => {
  pretendPending(() => 'failed');
  const room = await start({}, 'auto');
  // Above the limit of a synchronous copy, as the listing tells it: then auto begins asynchronously.
  const size = String(300 * 2 ** 20);
  proxy.rules.push({
    match: ({ path, query }) => path.endsWith(`/${source.name}/data`) && query.get('comp') === 'list',
    after: (_, response) => ({
      ...response,
      body: response.body.toString().replace(/<Content-Length>12</, `<Content-Length>${size}<`),
    }),
  });
  const report = await room.run();
  expect(proxy.requests.filter(isStart)).toHaveLength(2);
  expect(proxy.requests.some(isBlock)).toBe(true);
  // The pretended size makes the ranges of the blocks reach beyond the blob, which the service refuses: a named failure.
  expect(report.counts.listed).toBe(1);
  expect(report.status).not.toBe('succeeded');
});

test('F2: a page blob whose copy fails for good is a failure by name, and what was there before is kept', async () => {
  const client = await makeContainer(source.connectionString, 'data');
  await client.deleteBlob('big');
  const page = client.getPageBlobClient('disk');
  await page.create(512);
  const room = await start();
  await room.run();
  // Created anew: the emulator shares pages between a blob and its copies.
  await page.create(512);
  await page.uploadPages(Buffer.alloc(512, 1), 0, 512);
  pretendPending(() => 'failed');
  const report = await room.run({ mode: 'incremental' });
  expect(report).toMatchObject({ status: 'completed-with-failures', counts: { listed: 1, copied: 0, failed: 1 } });
  expect(await room.outcomes(report.id, 'status=failed')).toMatchObject([{ name: 'disk', code: 'copy-failed' }]);
  const kept = await snapshotsOf(vault.connectionString, 'databackup', 'disk');
  expect(kept[0]).toBe('\0'.repeat(512));
  proxy.rules.length = 0;
  const { body } = await room.call('POST', `/api/runs/${report.id}/retry`);
  await room.ended(body.id);
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
});

test('F9: the success of a copy with another id proves nothing', async () => {
  let looks = 0;
  proxy.rules.push(
    { match: isStart, times: 1, after: (_, response) => withHeaders(response, { 'x-ms-copy-status': 'pending' }) },
    {
      match: isLook,
      after: (_, response) => {
        looks++;
        if (looks > 1) return response;
        // Someone else's copy over ours: it succeeded, without our record.
        const headers = Object.fromEntries(
          Object.entries(response.headers).filter(([key]) => !key.startsWith('x-ms-meta-')),
        );
        return { ...response, headers: { ...headers, 'x-ms-copy-id': 'c0ffee00-0000-4000-8000-000000000000' } };
      },
    },
  );
  const room = await start();
  const report = await room.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(looks).toBeGreaterThan(1);
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
});

test('F9: a copy whose state has vanished is not taken for done', async () => {
  proxy.rules.push(
    { match: isStart, times: 1, after: (_, response) => withHeaders(response, { 'x-ms-copy-status': 'pending' }) },
    {
      match: isLook,
      times: 2,
      after: (_, response) => {
        const kept = Object.entries(response.headers).filter(([key]) => !/^x-ms-(copy|meta)-/.test(key));
        return { ...response, headers: Object.fromEntries(kept) };
      },
    },
  );
  const room = await start();
  const report = await room.run();
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(proxy.requests.filter(isStart)).toHaveLength(2);
});

test('a copy pending past its deadline is aborted by its id and made in blocks', async () => {
  pretendPending(() => 'pending');
  const room = await start({ limits: { copyDeadlineMs: 1500 } });
  // Once aborted, the service shows what is there: here the emulator's finished copy.
  proxy.rules.unshift({
    match: (request) => isLook(request) && proxy.requests.some(isAbort),
    after: (_, response) => withHeaders(response, { 'x-ms-copy-status': 'aborted' }),
  });
  const report = await room.run();
  const [abort] = proxy.requests.filter(isAbort);
  expect(abort?.query.get('copyid')).toBeTruthy();
  expect(proxy.requests.some(isBlock)).toBe(true);
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
});

test('cancelling aborts the copies that are pending, by their ids', async () => {
  pretendPending(() => 'pending');
  const room = await start();
  const id = await room.start();
  await room.until(id, () => proxy.requests.some(isLook));
  await room.call('POST', `/api/runs/${id}/cancel`);
  expect((await room.ended(id, 30)).status).toBe('cancelled');
  expect(proxy.requests.filter(isAbort)).toHaveLength(1);
});

test("F36: someone else's pending copy is aborted by its id, and ours made in its place", async () => {
  const mirror = await makeContainer(vault.connectionString, 'databackup');
  await mirror.getBlockBlobClient('big').upload('foreign', 7);
  let aborted = false;
  const foreign = 'deadbeef-0000-4000-8000-000000000000';
  proxy.rules.push(
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
  const room = await start();
  const report = await room.run({ mode: 'incremental' });
  expect(aborted).toBe(true);
  expect(proxy.requests.filter(isAbort)[0]?.query.get('copyid')).toBe(foreign);
  expect(report).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
});

test('F37: when the answer to starting a copy is lost, the copy that was started is adopted', async () => {
  proxy.rules.push({ match: isStart, times: 1, after: () => 'drop' });
  const room = await start();
  expect(await room.run()).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  // The second start is the retry of the first, refused since the blob is there; a third would be another copy.
  expect(proxy.requests.filter(isStart)).toHaveLength(2);
});
