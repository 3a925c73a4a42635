import { afterEach, beforeEach, expect, test } from 'vitest';
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

const fill = async (count: number) => {
  const client = await makeContainer(source.connectionString, 'data');
  const names = Array.from({ length: count }, (_, i) => `blob-${String(i).padStart(3, '0')}`);
  for (const name of names) await client.getBlockBlobClient(name).upload(name, name.length);
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

test('F38: with every request throttled at first, each is sent again once, and nothing is lost', async () => {
  await fill(60);
  const seen = new Set<string>();
  proxy.rules.push({
    match: ({ method, url, query }) => {
      // The emulator reads copy sources by way of the proxy, too.
      const isNew = !query.has('sig') && !seen.has(`${method} ${url}`);
      seen.add(`${method} ${url}`);
      return isNew;
    },
    answer: () => ({ status: 503, headers: { 'x-ms-error-code': 'ServerBusy' }, body: '' }),
  });
  const room = await start({ limits: { retryDelayMs: 20 } });
  expect(await room.run()).toMatchObject({ status: 'succeeded', counts: { listed: 60, copied: 60, failed: 0 } });
  const copies = proxy.requests.filter(({ headers }) => 'x-ms-copy-source' in headers);
  // One owner of retries: a refused request is sent again once, not once by each layer.
  expect(copies.filter(({ status }) => status === 503)).toHaveLength(60);
  expect(copies).toHaveLength(120);
  proxy.rules.length = 0;
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
});

test('F38: a service that says how long to wait is left alone for so long', async () => {
  await fill(1);
  const at: number[] = [];
  const isCopy = ({ headers }: { headers: object }) => 'x-ms-copy-source' in headers;
  proxy.rules.push({
    match: isCopy,
    times: 1,
    before: () => void at.push(Date.now()),
    answer: () => ({ status: 503, headers: { 'x-ms-error-code': 'ServerBusy', 'retry-after': '2' }, body: '' }),
  });
  proxy.rules.push({ match: isCopy, before: () => void at.push(Date.now()) });
  const room = await start({ limits: { retryDelayMs: 20 } });
  expect(await room.run()).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(at).toHaveLength(2);
  expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(1990);
});

test('F27: a signature outlives what it was minted for; refused all the same, the next activity brings another', async () => {
  await fill(6);
  const signatures: URLSearchParams[] = [];
  proxy.rules.push({
    match: ({ headers }) => {
      const address = headers['x-ms-copy-source'];
      if (address === undefined) return false;
      const query = new URL(address).searchParams;
      signatures.push(query);
      return query.get('sig') === signatures[0]!.get('sig');
    },
    answer: () => ({
      status: 403,
      headers: {
        'x-ms-error-code': 'CannotVerifyCopySource',
        'x-ms-copy-source-status-code': '403',
        'x-ms-copy-source-error-code': 'AuthenticationFailed',
      },
      body: '',
    }),
  });
  const deadline = 3_600_000;
  const room = await start({ limits: { chunkBlobs: 3, copyDeadlineMs: deadline } });
  const began = Date.now();
  const report = await room.run();
  expect(report.counts).toMatchObject({ listed: 6, copied: 6 - report.counts.failed });
  for (const { code } of await room.outcomes(report.id, 'status=failed')) expect(code).toBe('access-denied-source');
  for (const query of signatures) {
    expect(Date.parse(query.get('st')!)).toBeLessThanOrEqual(began - 14 * 60_000);
    expect(Date.parse(query.get('se')!)).toBeGreaterThan(began + deadline);
    expect(query.get('sp')).toBe('r');
  }
  expect(report.counts.failed).toBeGreaterThan(0);
  // Signatures are to the second: one that is minted in the same second may be the same.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const { body } = await room.call('POST', `/api/runs/${report.id}/retry`);
  expect(await room.ended(body.id)).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
  expect(await lookInto(vault.connectionString, 'databackup')).toEqual(await lookInto(source.connectionString, 'data'));
});

test('F23: a blob that is added behind the listing is in the next run', async () => {
  await fill(4);
  const late = async () => {
    const client = await makeContainer(source.connectionString, 'data');
    await client.getBlockBlobClient('aaa').upload('late', 4);
  };
  proxy.rules.push({
    match: ({ path, query }) => path.endsWith(`/${source.name}/data`) && query.get('comp') === 'list',
    times: 1,
    after: async (_, response) => {
      await late();
      return response;
    },
  });
  const room = await start();
  expect(await room.run()).toMatchObject({ status: 'succeeded', counts: { listed: 4, copied: 4 } });
  expect(await room.run({ mode: 'incremental' })).toMatchObject({ counts: { listed: 5, copied: 1, unchanged: 4 } });
});

test('F8: a start whose lock was taken, and the answer lost, starts all the same', async () => {
  await fill(1);
  proxy.rules.push({
    match: ({ method, path }) => method === 'PUT' && path.endsWith('/locks/nightly.json'),
    times: 1,
    after: () => 'drop',
  });
  const room = await start({ limits: { retryDelayMs: 20 } });
  const answer = await room.call('POST', '/api/jobs/nightly/runs');
  expect(answer.status).toBe(202);
  expect(await room.ended(answer.body.id)).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
});
