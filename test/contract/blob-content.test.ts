import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import { type TestAccount, takeAccount } from '../support/azurite/accounts.ts';
import {
  DROP,
  type FaultProxy,
  type FaultRule,
  type ProxiedRequest,
  startFaultProxy,
} from '../support/faults/fault-proxy.ts';

const SIZE = 3_000_000;
const BODY = randomBytes(SIZE);
const TEXT = { contentType: 'text/plain' };
const TRIES = 3;

let given: TestAccount;
let proxy: FaultProxy;
let account: BlobAccount;
let etag: string;

beforeAll(async () => {
  given = takeAccount();
  proxy = await startFaultProxy(given.blobEndpoint);
  account = connectBlobAccount(
    { alias: 'a', connectionString: proxy.connectionString(given) },
    { tries: TRIES, firstDelay: 5, longestDelay: 50, timeout: 5_000 },
  );
  await account.createContainer('data');
  ({ etag } = await account.putObject('data', 'big', BODY, TEXT));
});

afterAll(() => proxy.stop());

beforeEach(() => {
  proxy.rules.length = 0;
  proxy.requests.length = 0;
});

const gets = ({ method }: ProxiedRequest) => method === 'GET';

/** Passes on so many bytes of the body, and ends the connection. */
function cutAfter(bytes: number): NonNullable<FaultRule['after']> {
  return (_, response) => ({
    ...response,
    body: Buffer.from(response.body).subarray(0, bytes),
    announced: response.body.length,
  });
}

async function read(name = 'big', ifMatch = etag) {
  const counts: RequestCounts = {};
  const chunks: Uint8Array[] = [];
  const error = await countingRequests(counts, async () => {
    for await (const chunk of account.readContent('data', name, { ifMatch })) chunks.push(chunk);
  }).catch((reason: unknown) => reason);
  return { body: Buffer.concat(chunks), chunks: chunks.length, counts, error };
}

describe('content', () => {
  it('comes in pieces, in one request', async () => {
    const { body, chunks, counts, error } = await read();
    expect(error).toBeUndefined();
    expect(body.equals(BODY)).toBe(true);
    expect(chunks).toBeGreaterThan(10);
    expect(counts).toEqual({ GetBlob: 1 });
  });

  it('may be empty', async () => {
    const made = await account.putObject('data', 'empty', new Uint8Array(), TEXT);
    expect(await read('empty', made.etag)).toMatchObject({ chunks: 0, counts: { GetBlob: 1 }, error: undefined });
  });

  it('is of the version that was asked for, or none', async () => {
    expect(await read('big', '0x1')).toMatchObject({ chunks: 0, error: { kind: 'precondition', status: 412 } });
    expect((await read('nothing')).error).toMatchObject({ kind: expect.stringMatching(/^(not-found|precondition)$/) });
  });

  it('is of a snapshot, when that is asked for', async () => {
    const first = await account.putObject('data', 'snapped', Buffer.from('first'), TEXT);
    const snapshot = await account.snapshot('data', 'snapped', first.etag);
    const second = await account.putObject('data', 'snapped', Buffer.from('second'), TEXT);
    const body = (ifMatch: string) =>
      buffer(Readable.from(account.readContent('data', 'snapped', { ifMatch, snapshotOrVersion: { snapshot } })));
    expect((await body(first.etag)).toString()).toBe('first');
    await expect(body(second.etag)).rejects.toMatchObject({ kind: 'precondition' });
  });

  it('says where it could not be read', async () => {
    proxy.rules.push({
      match: gets,
      answer: () => ({ status: 403, headers: { 'x-ms-error-code': 'AuthorizationFailure' }, body: '' }),
    });
    expect((await read()).error).toMatchObject({
      kind: 'access-denied',
      message: 'Could not read a/data/big: 403 AuthorizationFailure',
    });
  });
});

describe('content that is cut off', () => {
  it('is asked for again from there, under the same condition', async () => {
    proxy.rules.push(
      { match: gets, times: 1, after: cutAfter(1_000_000) },
      { match: gets, times: 1, after: cutAfter(500_000) },
    );
    const { body, counts, error } = await read();
    expect(error).toBeUndefined();
    expect(body.equals(BODY)).toBe(true);
    expect(counts).toEqual({ GetBlob: 3 });
    const ranges = proxy.requests.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers['x-ms-range'] ?? '')?.[1]));
    expect(ranges[0]).toBeNaN();
    expect(ranges[1]).toBeGreaterThan(0);
    expect(ranges[2]).toBeGreaterThan(ranges[1]!);
    expect(proxy.requests.map(({ headers }) => headers['if-match'])).toEqual(Array(3).fill(`"${etag}"`));
  });

  it('is an error when it stays cut off', async () => {
    proxy.rules.push({ match: gets, after: cutAfter(0) });
    const { body, counts, error } = await read();
    expect(error).toMatchObject({
      kind: 'unreachable',
      message: `Could not read a/data/big: ECONNRESET: The connection ended after 0 of ${SIZE} bytes.`,
    });
    expect(body).toHaveLength(0);
    expect(counts).toEqual({ GetBlob: TRIES });
  });

  it('continues as long as bytes arrive', async () => {
    proxy.rules.push({ match: gets, times: TRIES * 2, after: cutAfter(200_000) });
    const { body, error } = await read();
    expect(error).toBeUndefined();
    expect(body.equals(BODY)).toBe(true);
  });

  it('is an error when the blob has changed by then', async () => {
    const made = await account.putObject('data', 'changing', BODY, TEXT);
    proxy.rules.push(
      { match: gets, times: 1, after: cutAfter(1_000_000) },
      {
        match: gets,
        before: async () => void (await account.putObject('data', 'changing', BODY.subarray(1), TEXT)),
      },
    );
    const { body, error } = await read('changing', made.etag);
    expect(error).toMatchObject({ kind: 'precondition' });
    expect(body.length).toBeLessThan(SIZE);
  });

  it('never continues with another part than it asked for', async () => {
    proxy.rules.push(
      { match: gets, times: 1, after: cutAfter(1_000_000) },
      {
        match: gets,
        after: (_, response) => ({
          ...response,
          headers: { ...response.headers, 'content-range': `bytes 0-9/${SIZE}` },
        }),
      },
    );
    expect((await read()).error).toMatchObject({ kind: 'server' });
  });

  it('is asked for again where the rest is not all of it', async () => {
    proxy.rules.push(
      { match: gets, times: 1, after: cutAfter(1_000_000) },
      {
        match: gets,
        times: 1,
        after: (_, response) => {
          const [start] = /\d+/.exec(response.headers['content-range']!)!;
          const range = `bytes ${start}-${Number(start) + 999}/${SIZE}`;
          const body = Buffer.from(response.body).subarray(0, 1_000);
          return { ...response, headers: { ...response.headers, 'content-range': range }, body };
        },
      },
    );
    const { body, counts, error } = await read();
    expect(error).toBeUndefined();
    expect(body.equals(BODY)).toBe(true);
    expect(counts).toEqual({ GetBlob: 3 });
  });

  it.each<[string, Omit<FaultRule, 'match'>]>([
    ['no answer', { answer: () => DROP }],
    ['a busy service', { answer: () => ({ status: 503, headers: {}, body: '' }) }],
  ])('gets over %s, before it and after it', async (_what, fault) => {
    proxy.rules.push(
      { match: gets, times: 1, ...fault },
      { match: gets, times: 1, after: cutAfter(1_000_000) },
      { match: gets, times: 1, ...fault },
    );
    const { body, counts, error } = await read();
    expect(error).toBeUndefined();
    expect(body.equals(BODY)).toBe(true);
    expect(counts).toEqual({ GetBlob: 4 });
  });

  it('is asked for again when nothing more comes', async () => {
    const ranges: (string | undefined)[] = [];
    const stalling = http.createServer((request, response) => {
      const range = request.headers['x-ms-range'] as string | undefined;
      ranges.push(range);
      const rest = BODY.subarray(Number(/\d+/.exec(range ?? '0')));
      response.writeHead(range ? 206 : 200, {
        etag: '"0x1"',
        'content-length': rest.length,
        'content-range': `bytes ${SIZE - rest.length}-${SIZE - 1}/${SIZE}`,
      });
      if (range) response.end(rest);
      else response.write(rest.subarray(0, 1_000_000));
    });
    await once(stalling.listen(0, '127.0.0.1'), 'listening');
    const endpoint = `http://127.0.0.1:${(stalling.address() as AddressInfo).port}`;
    const hasty = connectBlobAccount(
      { alias: 'b', connectionString: `BlobEndpoint=${endpoint};SharedAccessSignature=sv=1&se=2999-01-01&sig=x` },
      { tries: TRIES, firstDelay: 5, longestDelay: 50, timeout: 300 },
    );
    const body = await buffer(Readable.from(hasty.readContent('data', 'x', { ifMatch: '0x1' })));
    stalling.closeAllConnections();
    stalling.close();
    expect(body.equals(BODY)).toBe(true);
    expect(ranges).toHaveLength(2);
  });
});

describe('reading', () => {
  it('stops at a signal, in mid-body and before it', async () => {
    const stop = new AbortController();
    const options = { ifMatch: etag, signal: stop.signal };
    const started = (async () => {
      for await (const _ of account.readContent('data', 'big', options)) stop.abort();
    })();
    await expect(started).rejects.toMatchObject({ kind: 'aborted' });
    const again = account.readContent('data', 'big', options)[Symbol.asyncIterator]();
    await expect(again.next()).rejects.toMatchObject({ kind: 'aborted' });
  });

  it('stops at a signal before it asks again', async () => {
    const patient = connectBlobAccount(
      { alias: 'a', connectionString: proxy.connectionString(given) },
      { tries: TRIES, firstDelay: 600_000, longestDelay: 600_000 },
    );
    const stop = new AbortController();
    proxy.rules.push({ match: gets, after: cutAfter(0) });
    const reading = patient.readContent('data', 'big', { ifMatch: etag, signal: stop.signal })[Symbol.asyncIterator]();
    setTimeout(() => stop.abort(), 100);
    await expect(reading.next()).rejects.toMatchObject({ kind: 'aborted' });
  });

  it('may be left off, and leaves nothing behind', async () => {
    for await (const chunk of account.readContent('data', 'big', { ifMatch: etag })) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await read()).error).toBeUndefined();
  });
});
