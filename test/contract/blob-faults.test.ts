import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import { takeAccount } from '../support/azurite/accounts.ts';
import {
  DROP,
  type FaultProxy,
  type FaultRule,
  type ProxiedResponse,
  startFaultProxy,
} from '../support/faults/fault-proxy.ts';

const TEXT = { contentType: 'text/plain' };

let proxy: FaultProxy;
let account: BlobAccount;

beforeAll(async () => {
  const given = takeAccount();
  proxy = await startFaultProxy(given.blobEndpoint);
  account = connectBlobAccount(
    { alias: 'a', connectionString: proxy.connectionString(given) },
    { tries: 4, firstDelay: 5, longestDelay: 50 },
  );
  await account.createContainer('data');
  await account.putObject('data', 'x', Buffer.from('hello'), TEXT);
});

afterAll(() => proxy.stop());

beforeEach(() => {
  proxy.rules.length = 0;
});

const any = () => true;

type Fault = Omit<FaultRule, 'match'>;
type Answer = NonNullable<FaultRule['answer']>;

function answering(status: number, code?: string) {
  const response: ProxiedResponse = { status, headers: code ? { 'x-ms-error-code': code } : {}, body: '' };
  return () => response;
}

/** Looks at the blob while the rule is in force; tells what came of it and how many requests it took. */
async function lookWhile(rule: Fault) {
  proxy.rules.push({ match: any, ...rule });
  const counts: RequestCounts = {};
  const looked: Promise<unknown> = countingRequests(counts, () => account.getProperties('data', 'x'));
  const end = await looked.catch((error: unknown) => error);
  return { end, requests: counts.GetBlobProperties };
}

describe('retries', () => {
  it.each<[string, Fault]>([
    ['503 ServerBusy', { answer: answering(503, 'ServerBusy') }],
    ['429', { answer: answering(429) }],
    ['500 OperationTimedOut', { answer: answering(500, 'OperationTimedOut') }],
    ['a connection that ends without an answer', { answer: () => DROP }],
    ['an answer that is lost', { after: () => DROP }],
  ])('get over %s', async (_what, fault) => {
    expect(await lookWhile({ ...fault, times: 2 })).toMatchObject({ end: { name: 'x', size: 5 }, requests: 3 });
  });

  it.each<[string, Answer]>([
    ['throttled', answering(503, 'ServerBusy')],
    ['throttled', answering(429)],
    ['server', answering(500, 'InternalError')],
    ['unreachable', () => DROP],
  ])('end as %s, every attempt counted', async (kind, answer) => {
    expect(await lookWhile({ answer })).toMatchObject({ end: { kind }, requests: 4 });
  });

  it.each<[string, Answer]>([
    ['access-denied', answering(403, 'AuthorizationFailure')],
    ['invalid', answering(400, 'InvalidUri')],
    ['immutable', answering(409, 'BlobImmutableDueToPolicy')],
    ['archived', answering(409, 'BlobArchived')],
    ['unsupported', answering(501)],
  ])('are not made of what stands: %s', async (kind, answer) => {
    expect(await lookWhile({ answer })).toMatchObject({ end: { kind }, requests: 1 });
  });

  it('are signed again each time', async () => {
    proxy.requests.length = 0;
    const answer = async (): Promise<ProxiedResponse> => {
      await sleep(1100);
      return { status: 503, headers: { 'retry-after-ms': '1' }, body: '' };
    };
    await lookWhile({ answer, times: 1 });
    const [first, second] = proxy.requests.map(({ headers }) => headers);
    expect(second?.['x-ms-date']).not.toBe(first?.['x-ms-date']);
    expect(second?.authorization).not.toBe(first?.authorization);
  });

  it('stop at a signal', async () => {
    const stop = new AbortController();
    const answer = (): ProxiedResponse => ({ status: 503, headers: { 'retry-after': '30' }, body: '' });
    proxy.rules.push({ match: any, answer });
    setTimeout(() => stop.abort(), 50);
    await expect(account.listBlobs('data', { signal: stop.signal })).rejects.toMatchObject({ kind: 'aborted' });
  });
});

describe('a listing', () => {
  const listing = ({ query }: { query: URLSearchParams }) => query.get('comp') === 'list';
  const cut: FaultRule['after'] = (_, response) => ({ ...response, body: String(response.body).slice(0, -40) });

  it('that is cut short is asked for again', async () => {
    proxy.rules.push({ match: listing, times: 2, after: cut });
    expect((await account.listBlobs('data', {})).blobs).toHaveLength(1);
  });

  it('that stays cut short is an error', async () => {
    proxy.rules.push({ match: listing, after: cut });
    await expect(account.listBlobs('data', {})).rejects.toMatchObject({ kind: 'server' });
  });

  it('is never empty because something else answered', async () => {
    proxy.rules.push({
      match: listing,
      answer: () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<html></html>' }),
    });
    await expect(account.listBlobs('data', {})).rejects.toMatchObject({ kind: 'server' });
  });
});

describe("an answer that is not the service's", () => {
  const page = '<html><head><title>Sign in</title></head><body><p>Sign in</p></body></html>';
  const blocks = { sourceUrl: 'http://127.0.0.1/a/data/x', sourceIfMatch: '1', size: 5 };
  const asks: [what: string, component: string, ask: () => Promise<unknown>][] = [
    ['list of containers', 'list', () => account.listContainers()],
    ['properties of a container', 'list', () => account.containerProperties('data')],
    ['access policies', 'acl', () => account.accessPolicies('data')],
    ['list of blocks', 'blocklist', () => account.isCopiedInBlocks('data', 'x', blocks)],
  ];

  it.each(asks)('is never taken for an empty %s, but for a failed request that names its account', async (...row) => {
    const [, component, ask] = row;
    await expect(ask()).resolves.toBeDefined();
    const match: FaultRule['match'] = ({ query }) => query.get('comp') === component;
    for (const body of [page, '', 'Sign in', '{}']) {
      proxy.rules.length = 0;
      proxy.rules.push({ match, answer: () => ({ status: 200, headers: { 'content-type': 'text/html' }, body }) });
      const message = expect.stringMatching(/^Could not .* a(\/data\S*)?: The service sent an incomplete answer/);
      await expect(ask(), body).rejects.toMatchObject({ kind: 'server', message });
    }
  });

  it.each(asks)('is asked for again: %s', async (_what, component, ask) => {
    const whole = await ask();
    proxy.rules.push({
      match: ({ query }) => query.get('comp') === component,
      times: 2,
      after: (_, response) => ({ ...response, body: String(response.body).slice(0, -3) }),
    });
    expect(await ask()).toEqual(whole);
  });
});

describe('a write whose answer is lost', () => {
  it('shows as a condition that does not hold, when it had one', async () => {
    proxy.rules.push({ match: ({ method }) => method === 'PUT', times: 1, after: () => DROP });
    const written = account.putObject('data', 'lost', Buffer.from('mine'), { ...TEXT, expect: 'absent' });
    await expect(written).rejects.toMatchObject({ kind: 'precondition', code: 'BlobAlreadyExists' });
    expect((await account.getObject('data', 'lost'))?.body.toString()).toBe('mine');
  });
});
