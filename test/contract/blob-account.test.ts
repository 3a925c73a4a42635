import { setTimeout as sleep } from 'node:timers/promises';
import {
  AccountSASPermissions,
  BlobServiceClient,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import { StorageError } from '#storage/storage-error.ts';
import { type TestAccount, takeAccount } from '../support/azurite/accounts.ts';
import { startFaultProxy } from '../support/faults/fault-proxy.ts';

const TEXT = { contentType: 'text/plain' };
const HELLO = Buffer.from('hello');

let given: TestAccount;
let account: BlobAccount;
/** The SDK itself, for what the adapter does not do. */
let sdk: BlobServiceClient;

beforeAll(() => {
  given = takeAccount();
  account = connectBlobAccount({ alias: 'source', connectionString: given.connectionString });
  sdk = BlobServiceClient.fromConnectionString(given.connectionString);
});

async function container(name: string): Promise<string> {
  await account.createContainer(name);
  return name;
}

/** The same account by a signature with these permissions, at this address. */
function bySas(permissions: string, endpoint = given.blobEndpoint): BlobAccount {
  const sas = generateAccountSASQueryParameters(
    {
      expiresOn: new Date(Date.now() + 600_000),
      permissions: AccountSASPermissions.parse(permissions),
      resourceTypes: 'sco',
      services: 'bt',
    },
    new StorageSharedKeyCredential(given.name, given.key),
  );
  return connectBlobAccount({
    alias: 'by-sas',
    connectionString: `BlobEndpoint=${endpoint};SharedAccessSignature=${sas}`,
  });
}

describe('containers', () => {
  it('are made once', async () => {
    expect(await account.createContainer('made')).toBe('created');
    expect(await account.createContainer('made')).toBe('exists');
  });

  it('are private', async () => {
    const made = await container('private');
    const { etag } = await account.putObject(made, 'x', HELLO, TEXT);
    expect(etag).toMatch(/^0x/);
    expect((await fetch(`${account.endpoint}/${made}/x`)).status).not.toBe(200);
  });

  it('are listed in order', async () => {
    for (const name of ['list-b', 'list-a']) await container(name);
    const { names, next } = await account.listContainers();
    expect(names.filter((name) => name.startsWith('list-'))).toEqual(['list-a', 'list-b']);
    expect(next).toBeUndefined();
  });

  it('are known by a name that the service accepts', async () => {
    await expect(account.createContainer('No_Good')).rejects.toMatchObject({ kind: 'not-created', status: 400 });
  });
});

describe('listings', () => {
  it('tell everything that was asked for', async () => {
    const made = await container('listed');
    const headers = {
      contentType: 'text/html',
      contentEncoding: 'gzip',
      contentLanguage: 'de',
      contentDisposition: 'inline',
      cacheControl: 'no-store',
    };
    const { etag } = await account.putObject(made, 'a', HELLO, { ...headers, metadata: { CamelCase: ' & <x> ' } });
    await account.setTags(made, 'a', { 'k 1': 'v=/:' });
    const { blobs, next } = await account.listBlobs(made, {
      metadata: true,
      tags: true,
      copy: true,
      contentHeaders: true,
    });
    expect(next).toBeUndefined();
    expect(blobs).toMatchObject([
      {
        name: 'a',
        etag,
        size: 5,
        type: 'block',
        tier: 'Hot',
        tagCount: 1,
        ...headers,
        contentMd5: 'XUFAKrxLKna5cZ2REBfFkg==',
      },
    ]);
    expect(blobs[0]?.metadata).toEqual({ CamelCase: '& <x>' });
    expect(blobs[0]?.tags).toEqual({ 'k 1': 'v=/:' });
    expect(Date.parse(blobs[0]!.lastModified)).toBeGreaterThan(Date.now() - 60_000);
  });

  it('leave out what was not asked for', async () => {
    const made = await container('unasked');
    await account.putObject(made, 'a', HELLO, { ...TEXT, metadata: { a: '1' } });
    const [blob] = (await account.listBlobs(made, {})).blobs;
    for (const field of ['metadata', 'tags', 'copy', 'contentType']) expect(blob).not.toHaveProperty(field);
  });

  it('tell the same as a look', async () => {
    const made = await container('looked');
    await account.putObject(made, 'a', HELLO, { ...TEXT, contentEncoding: 'gzip', metadata: { key: 'v' } });
    await account.setTags(made, 'a', { t: '1' });
    const [listed] = (await account.listBlobs(made, { metadata: true, copy: true, contentHeaders: true })).blobs;
    expect(await account.getProperties(made, 'a')).toEqual(listed);
  });

  it('group names at a delimiter, under a prefix', async () => {
    const made = await container('grouped');
    for (const name of ['p/a', 'p/d/1', 'p/d/2', 'p/é&/x', 'q']) await account.putObject(made, name, HELLO, TEXT);
    const page = await account.listBlobs(made, { prefix: 'p/', delimiter: '/' });
    expect(page.blobs.map(({ name }) => name)).toEqual(['p/a']);
    expect(page.prefixes).toEqual(['p/d/', 'p/é&/']);
  });

  it('hold no more than is asked for', async () => {
    const made = await container('limited');
    for (const name of ['a', 'ab', 'abc']) await account.putObject(made, name, HELLO, TEXT);
    const page = await account.listBlobs(made, { prefix: 'a', limit: 1 });
    expect(page.blobs.map(({ name }) => name)).toEqual(['a']);
    expect(page.next).toBeTypeOf('string');
  });

  it('come in pages, each one request for 5,000 blobs', async () => {
    const made = await container('paged');
    const names = ['a', 'b', 'c d', 'é', '\u{1f600}'];
    for (const name of names) await account.putObject(made, name, HELLO, TEXT);
    const proxy = await startFaultProxy(given.blobEndpoint);
    const requests = proxy.requests;
    proxy.rules.push({
      match: () => true,
      before: (request) => {
        request.url = request.url.replace('maxresults=5000', 'maxresults=2');
      },
    });
    const paged = bySas('rl', `${proxy.url}/${given.name}`);
    const counts: RequestCounts = {};
    const pages: string[][] = [];
    await countingRequests(counts, async () => {
      let next: string | undefined;
      do {
        const page = await paged.listBlobs(made, next === undefined ? {} : { marker: next });
        pages.push(page.blobs.map(({ name }) => name));
        next = page.next;
      } while (next !== undefined);
    });
    await proxy.stop();
    expect(pages).toEqual([['a', 'b'], ['c d', 'é'], ['\u{1f600}']]);
    expect(counts).toEqual({ ListBlobs: 3 });
    expect(requests.map(({ query }) => query.get('maxresults'))).toEqual(['5000', '5000', '5000']);
  });

  it('fail for a container that is not there', async () => {
    await expect(account.listBlobs('missing', {})).rejects.toMatchObject({
      kind: 'container-not-found',
      message: expect.stringContaining('source/missing'),
    });
  });

  it('know page and append blobs', async () => {
    const made = await container('kinds');
    await sdk.getContainerClient(made).getPageBlobClient('page').create(512);
    await sdk.getContainerClient(made).getAppendBlobClient('append').create();
    const { blobs } = await account.listBlobs(made, {});
    expect(blobs.map(({ name, type, size }) => [name, type, size])).toEqual([
      ['append', 'append', 0],
      ['page', 'page', 512],
    ]);
    expect([
      (await account.getProperties(made, 'page'))?.type,
      (await account.getProperties(made, 'append'))?.type,
    ]).toEqual(['page', 'append']);
  });
});

describe('a look', () => {
  it('finds nothing where there is no blob or no container, in one request', async () => {
    const made = await container('empty');
    const counts: RequestCounts = {};
    await countingRequests(counts, async () => {
      expect(await account.getProperties(made, 'nothing')).toBeUndefined();
      expect(await account.getProperties('missing', 'nothing')).toBeUndefined();
    });
    expect(counts).toEqual({ GetBlobProperties: 2 });
  });
});

describe('objects', () => {
  it('come back as they were written', async () => {
    const made = await container('objects');
    const body = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
    const { etag } = await account.putObject(made, 'o', body, {
      contentType: 'application/octet-stream',
      contentEncoding: 'gzip',
      metadata: { owner: 'me' },
    });
    const read = await account.getObject(made, 'o');
    expect(read).toMatchObject({ etag, metadata: { owner: 'me' } });
    expect(read?.body.equals(body)).toBe(true);
    expect(await account.getProperties(made, 'o')).toMatchObject({
      contentType: 'application/octet-stream',
      contentEncoding: 'gzip',
    });
  });

  it('may be empty', async () => {
    const made = await container('empty-objects');
    await account.putObject(made, 'o', new Uint8Array(), TEXT);
    expect((await account.getObject(made, 'o'))?.body).toHaveLength(0);
  });

  it('are absent where there is no blob or no container', async () => {
    const made = await container('no-objects');
    expect(await account.getObject(made, 'o')).toBeUndefined();
    expect(await account.getObject('missing', 'o')).toBeUndefined();
  });

  it('are written only over what was expected', async () => {
    const made = await container('expected');
    const put = (body: string, expect?: { ifMatch: string } | 'absent') =>
      account.putObject(made, 'o', Buffer.from(body), { ...TEXT, ...(expect ? { expect } : {}) });
    const first = await put('1', 'absent');
    await expect(put('2', 'absent')).rejects.toMatchObject({
      kind: 'precondition',
      status: 409,
      code: 'BlobAlreadyExists',
    });
    const second = await put('3', { ifMatch: first.etag });
    await expect(put('4', { ifMatch: first.etag })).rejects.toMatchObject({ kind: 'precondition', status: 412 });
    expect((await account.getObject(made, 'o'))?.body.toString()).toBe('3');
    const third = await put('5');
    expect(new Set([first.etag, second.etag, third.etag]).size).toBe(3);
  });

  it('cannot be expected where there are none', async () => {
    const made = await container('expected-none');
    await expect(account.putObject(made, 'o', HELLO, { ...TEXT, expect: { ifMatch: '0x1' } })).rejects.toMatchObject({
      kind: expect.stringMatching(/^(precondition|not-found)$/),
    });
  });

  it('are not written with metadata that HTTP cannot carry', async () => {
    const made = await container('unwritable');
    await expect(account.putObject(made, 'o', HELLO, { ...TEXT, metadata: { a: '中' } })).rejects.toMatchObject({
      kind: 'invalid',
    });
  });
});

describe('properties', () => {
  it('metadata is replaced as a whole, under a condition, and changes the ETag', async () => {
    const made = await container('metadata');
    const { etag } = await account.putObject(made, 'o', HELLO, { ...TEXT, metadata: { a: '1', b: '2' } });
    const changed = await account.setMetadata(made, 'o', { c: '3' }, etag);
    expect(changed).not.toBe(etag);
    expect(await account.getProperties(made, 'o')).toMatchObject({ etag: changed, metadata: { c: '3' } });
    await expect(account.setMetadata(made, 'o', {}, etag)).rejects.toMatchObject({ kind: 'precondition' });
    await expect(account.setMetadata(made, 'missing', {}, etag)).rejects.toMatchObject({
      kind: expect.stringMatching(/^(precondition|not-found)$/),
    });
  });

  it('metadata is all gone when it is replaced by none', async () => {
    const made = await container('no-metadata');
    const { etag } = await account.putObject(made, 'o', HELLO, { ...TEXT, metadata: { a: '1', b: '2' } });
    const changed = await account.setMetadata(made, 'o', {}, etag);
    expect(await account.getProperties(made, 'o')).toMatchObject({
      etag: changed,
      metadata: {},
      contentType: 'text/plain',
    });
  });

  it('tier and tags change neither the ETag nor the time', async () => {
    const made = await container('tiers');
    const { etag } = await account.putObject(made, 'o', HELLO, TEXT);
    const before = await account.getProperties(made, 'o');
    await sleep(1100);
    await account.setTier(made, 'o', 'Cool');
    await account.setTags(made, 'o', { a: '1', b: '2' });
    const after = await account.getProperties(made, 'o');
    expect(after).toMatchObject({ etag, lastModified: before?.lastModified, tier: 'Cool', tagCount: 2 });
    await account.setTags(made, 'o', {});
    expect(await account.getProperties(made, 'o')).not.toHaveProperty('tagCount');
  });

  it('a blob that is not there has none to set', async () => {
    const made = await container('none-to-set');
    await expect(account.setTier(made, 'missing', 'Cool')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(account.setTags(made, 'missing', { a: '1' })).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('snapshots', () => {
  it('keep content, ETag and metadata while the blob is overwritten', async () => {
    const made = await container('snapshots');
    const { etag } = await account.putObject(made, 'o', HELLO, { ...TEXT, metadata: { a: '1' } });
    const snapshot = await account.snapshot(made, 'o', etag);
    expect(await account.getProperties(made, 'o')).toMatchObject({ etag });
    await account.putObject(made, 'o', Buffer.from('other'), TEXT);
    const kept = sdk.getContainerClient(made).getBlobClient('o').withSnapshot(snapshot);
    expect((await kept.downloadToBuffer()).toString()).toBe('hello');
    expect(await kept.getProperties()).toMatchObject({ etag: `"${etag}"`, metadata: { a: '1' } });
    // Not base blobs, so not in the listing.
    expect((await account.listBlobs(made, {})).blobs).toHaveLength(1);
  });

  it('are pinned to an ETag', async () => {
    const made = await container('pinned');
    await account.putObject(made, 'o', HELLO, TEXT);
    await expect(account.snapshot(made, 'o', '0x1')).rejects.toMatchObject({ kind: 'precondition' });
    await expect(account.snapshot(made, 'missing', '0x1')).rejects.toMatchObject({
      kind: expect.stringMatching(/^(precondition|not-found)$/),
    });
  });
});

describe('leased blobs', () => {
  it('refuse to be written', async () => {
    const made = await container('leased');
    const { etag } = await account.putObject(made, 'o', HELLO, TEXT);
    await sdk.getContainerClient(made).getBlobClient('o').getBlobLeaseClient().acquireLease(-1);
    await expect(account.putObject(made, 'o', HELLO, TEXT)).rejects.toMatchObject({ kind: 'leased' });
    await expect(account.setMetadata(made, 'o', {}, etag)).rejects.toMatchObject({ kind: 'leased' });
  });
});

describe('an account reached by a shared access signature', () => {
  it('works as far as the signature reaches', async () => {
    const made = await container('by-sas');
    await account.putObject(made, 'a b', HELLO, TEXT);
    const reader = bySas('rl');
    expect((await reader.listBlobs(made, {})).blobs).toMatchObject([{ name: 'a b' }]);
    expect((await reader.getObject(made, 'a b'))?.body.toString()).toBe('hello');
    expect(reader.canAddress(made, 'a b')).toBe(true);
    expect(reader.canAddress(made, '../x')).toBe(false);
    const refused = await reader.putObject(made, 'x', HELLO, TEXT).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StorageError);
    expect(refused).toMatchObject({ kind: 'access-denied', status: 403 });
    expect(String(refused)).not.toContain('sig=');
    const access = await reader.readAccess(made, new Date());
    expect((await fetch(access.urlOf('a b'))).status).toBe(200);
  });
});

describe('read access', () => {
  it('reads one blob and does nothing else', async () => {
    const made = await container('readable');
    const other = await container('unreadable');
    for (const name of [made, other]) await account.putObject(name, 'x', HELLO, TEXT);
    await account.putObject(made, 'y', HELLO, TEXT);
    const access = await account.readAccess(made, new Date(Date.now() + 60_000));
    const url = access.urlOf('x');
    expect(await (await fetch(url)).text()).toBe('hello');
    expect((await fetch(url.replace(made, other))).status).toBe(403);
    expect((await fetch(url.replace(`${made}/x`, `${made}/y`))).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect(new URL(url).searchParams.get('sp')).toBe('r');
  });

  it('ends when it should', async () => {
    const made = await container('ended');
    await account.putObject(made, 'x', HELLO, TEXT);
    const access = await account.readAccess(made, new Date(Date.now() - 5_000));
    expect((await fetch(access.urlOf('x'))).status).toBe(403);
    const longer = await account.readAccess(made, new Date(Date.now() + 60_000));
    expect((await fetch(longer.urlOf('x', undefined, new Date(Date.now() - 5_000)))).status).toBe(403);
  });
});

describe('an account that cannot be reached', () => {
  const FAST = { tries: 2, firstDelay: 1, longestDelay: 1 };
  it.each([
    ['unreachable', 'ECONNREFUSED', 'http://127.0.0.1:1/acct'],
    ['unreachable', expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/), 'http://nowhere.invalid/acct'],
  ])('is %s (%s)', async (kind, code, endpoint) => {
    const lost = connectBlobAccount(
      { alias: 'lost', connectionString: `AccountName=acct;AccountKey=${given.key};BlobEndpoint=${endpoint}` },
      FAST,
    );
    await expect(lost.getProperties('data', 'x')).rejects.toMatchObject({ kind, code, status: 0 });
  });

  it('denies a wrong key without repeating what was signed', async () => {
    const wrong = connectBlobAccount({
      alias: 'wrong',
      connectionString: given.connectionString.replace(given.key, Buffer.alloc(64).toString('base64')),
    });
    const error = await wrong.listBlobs('data', {}).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'access-denied', status: 403 });
    expect((error as Error).message).toBe('Could not list the blobs of wrong/data: 403 AuthorizationFailure');
  });
});

describe('a signal', () => {
  it('ends a request early', async () => {
    const made = await container('aborted');
    await expect(account.listBlobs(made, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: 'aborted' });
    await expect(account.listContainers(undefined, AbortSignal.abort())).rejects.toMatchObject({ kind: 'aborted' });
  });
});
