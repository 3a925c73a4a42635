import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { takeAccounts } from '../../support/azurite/accounts.ts';
import { makeContainer } from '../../support/builders/collection.ts';
import { type FaultProxy, startFaultProxy } from '../../support/faults/fault-proxy.ts';

let app: Strongroom;
let proxy: FaultProxy;
let ended: string;
let running: string;
const SHARED_MS = 1_000;

beforeAll(async () => {
  const [source, vault] = takeAccounts(2);
  proxy = await startFaultProxy(new URL(vault!.blobEndpoint).origin);
  const client = await makeContainer(source!.connectionString, 'data');
  for (const name of ['a', 'b']) await client.getBlockBlobClient(name).upload(name, 1);
  app = await startStrongroom({
    source: source!.connectionString,
    vault: proxy.connectionString(vault!),
    limits: { sharedMs: SHARED_MS },
  });
  ended = (await app.run()).id;
  // A copy that does not end keeps the run in progress.
  proxy.rules.push({
    match: ({ method, path }) => method === 'PUT' && path.endsWith('/b'),
    before: () => sleep(60_000),
  });
  running = await app.start();
  await app.until(running, ({ counts }) => counts.listed === 2);
});

afterAll(async () => {
  await app?.host.kill();
  await proxy?.stop();
});

/** How many requests the vault gets in some seconds while so many people look at this, each ten times a second. */
async function requestsOf(path: string, viewers: number): Promise<number> {
  await sleep(2 * SHARED_MS);
  const from = proxy.requests.length;
  const until = Date.now() + 5_000;
  const statuses = new Set<number>();
  const look = async (viewer: number) => {
    await sleep(viewer * 23);
    for (let etag = ''; Date.now() < until; await sleep(100)) {
      const response = await fetch(app.host.url + path, { headers: { 'if-none-match': etag } });
      statuses.add(response.status);
      etag = response.headers.get('etag') ?? '';
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: viewers }, (_, viewer) => look(viewer)));
  expect([...statuses].filter((status) => status !== 200)).toEqual([304]);
  // The work of the run itself, and the queues of the host, come on top of it.
  return proxy.requests.slice(from).filter(({ method }) => method === 'GET').length;
}

describe('ten viewers cost storage what one does', () => {
  it.each([
    ['the list of runs', () => '/api/runs'],
    ['an ended run', () => `/api/runs/${ended}`],
    ['a run in progress, without its containers', () => `/api/runs/${running}?containers=none`],
    ['the list of restore points', () => '/api/restore-points'],
    ['the overview', () => '/api/overview'],
  ])('%s', { timeout: 60_000 }, async (_what, path) => {
    const [one, ten] = [await requestsOf(path(), 1), await requestsOf(path(), 10)];
    expect(one).toBeGreaterThan(3);
    // Another answer may begin at either end.
    expect(ten).toBeLessThanOrEqual(one * 1.1 + 12);
    expect(ten).toBeLessThan(one * 2);
  });
});
