import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { useTestBed } from '../../support/app/test-bed.ts';
import { isCopy } from '../../support/faults/fault-proxy.ts';

const bed = useTestBed();

test('F38: a run whose requests are all throttled at first sends each once more and loses nothing', async () => {
  await bed.fill(60);
  const seen = new Set<string>();
  bed.proxy.rules.push({
    match: ({ method, url, query }) => {
      // The emulator reads copy sources through the proxy, too.
      const isNew = !query.has('sig') && !seen.has(`${method} ${url}`);
      seen.add(`${method} ${url}`);
      return isNew;
    },
    answer: () => ({ status: 503, headers: { 'x-ms-error-code': 'ServerBusy' }, body: '' }),
  });
  const app = await bed.start({ limits: { retryDelayMs: 20 } });
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { listed: 60, copied: 60, failed: 0 } });
  const copies = bed.proxy.requests.filter(isCopy);
  // Only one layer retries: a refused request is sent once more, not once by each layer.
  expect(copies.filter(({ status }) => status === 503)).toHaveLength(60);
  expect(copies).toHaveLength(120);
  bed.proxy.rules.length = 0;
  await bed.expectBackedUp();
});

test('F38: the app waits as long as the service says before it sends a request again', async () => {
  await bed.fill(1);
  const at: number[] = [];
  bed.proxy.rules.push({
    match: isCopy,
    times: 1,
    before: () => void at.push(Date.now()),
    answer: () => ({ status: 503, headers: { 'x-ms-error-code': 'ServerBusy', 'retry-after': '2' }, body: '' }),
  });
  bed.proxy.rules.push({ match: isCopy, before: () => void at.push(Date.now()) });
  const app = await bed.start({ limits: { retryDelayMs: 20 } });
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(at).toHaveLength(2);
  expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(1990);
});

test('F27: a signature is for one blob and outlives its copy, and the next activity mints another when it is refused', async () => {
  await bed.fill(6);
  const signatures: URLSearchParams[] = [];
  const first = new Map<string, string | null>();
  bed.proxy.rules.push({
    match: ({ headers }) => {
      const address = headers['x-ms-copy-source'];
      if (address === undefined) return false;
      const { pathname, searchParams: query } = new URL(address);
      signatures.push(query);
      if (!first.has(pathname)) first.set(pathname, query.get('sig'));
      return query.get('sig') === first.get(pathname);
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
  const app = await bed.start({ limits: { chunkBlobs: 3 } });
  const began = Date.now();
  const report = await app.run();
  expect(report.counts).toMatchObject({ listed: 6, failed: 6 });
  expect(new Set(first.values()).size).toBe(6);
  for (const { code } of await app.outcomes(report.id, 'status=failed')) expect(code).toBe('access-denied-copy-source');
  for (const query of signatures) {
    expect(Date.parse(query.get('st')!)).toBeLessThanOrEqual(began - 14 * 60_000);
    expect(Date.parse(query.get('se')!)).toBeGreaterThan(began + 29 * 60_000);
    expect(Date.parse(query.get('se')!)).toBeLessThan(Date.now() + 31 * 60_000);
    expect([query.get('sr'), query.get('sp')]).toEqual(['b', 'r']);
  }
  // A signature that is minted in the same second may be the same.
  await sleep(1100);
  expect(await app.retry(report.id)).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
  await bed.expectBackedUp();
});

test('F23: the next run copies a blob that was added behind the listing', async () => {
  await bed.fill(4);
  bed.proxy.rules.push({
    match: ({ path, query }) => path.endsWith(`/${bed.source.name}/data`) && query.get('comp') === 'list',
    times: 1,
    after: async (_, response) => {
      await bed.upload('aaa', 'late');
      return response;
    },
  });
  const app = await bed.start();
  expect(await app.run()).toMatchObject({ status: 'succeeded', counts: { listed: 4, copied: 4 } });
  expect(await app.run({ mode: 'incremental' })).toMatchObject({ counts: { listed: 5, copied: 1, unchanged: 4 } });
});

test('F8: a run starts although the answer to taking its lock was lost', async () => {
  await bed.fill(1);
  bed.proxy.rules.push({
    match: ({ method, path }) => method === 'PUT' && path.endsWith('/locks/nightly.json'),
    times: 1,
    after: () => 'drop',
  });
  const app = await bed.start({ limits: { retryDelayMs: 20 } });
  const answer = await app.call('POST', '/api/jobs/nightly/runs');
  expect(answer.status).toBe(202);
  expect(await app.ended(answer.body.id)).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
});
