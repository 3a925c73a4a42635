import { randomBytes } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import type { BlobAccount, CopyRequest, ReadAccess } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import type { StorageError } from '#storage/storage-error.ts';
import { type TestAccount, takeAccounts } from '../support/azurite/accounts.ts';
import { DROP, type FaultProxy, startFaultProxy } from '../support/faults/fault-proxy.ts';

const HEADERS = {
  contentType: 'text/html',
  contentEncoding: 'gzip',
  contentLanguage: 'de',
  contentDisposition: 'inline',
  cacheControl: 'no-store',
};
const MIB = 1024 * 1024;

let from: TestAccount;
let to: TestAccount;
let proxy: FaultProxy;
let source: BlobAccount;
let vault: BlobAccount;
let sdk: { from: BlobServiceClient; to: BlobServiceClient };
let access: ReadAccess;

beforeAll(async () => {
  const [first, second] = takeAccounts(2);
  from = first!;
  to = second!;
  proxy = await startFaultProxy(from.blobEndpoint);
  const retries = { tries: 4, firstDelay: 1, longestDelay: 5 };
  // Both by way of the proxy: Azurite copies only from the host that the request itself names.
  source = connectBlobAccount({ alias: 'source', connectionString: proxy.connectionString(from) }, retries);
  vault = connectBlobAccount({ alias: 'vault', connectionString: proxy.connectionString(to) }, retries);
  sdk = {
    from: BlobServiceClient.fromConnectionString(from.connectionString),
    to: BlobServiceClient.fromConnectionString(to.connectionString),
  };
  await source.createContainer('data');
  await vault.createContainer('kept');
  access = await source.readAccess('data', new Date(Date.now() + 600_000));
});

afterAll(() => proxy.stop());

beforeEach(() => {
  proxy.rules.length = 0;
  proxy.requests.length = 0;
});

/** Writes a source blob and gives the request that copies it. */
async function given(
  name: string,
  body: string | Buffer = name,
  options: { metadata?: Record<string, string> } = {},
): Promise<CopyRequest> {
  const { etag } = await source.putObject('data', name, Buffer.from(body), { contentType: 'text/plain', ...options });
  return { sourceUrl: access.urlOf(name), sourceIfMatch: etag, container: 'kept', name, destination: 'absent' };
}

async function content(name: string): Promise<string | undefined> {
  return (await vault.getObject('kept', name))?.body.toString();
}

/** Every source here has its own name for its content. */
const methods = {
  copySync: (request: CopyRequest) => vault.copySync(request),
  startCopy: (request: CopyRequest) => vault.startCopy(request),
  copyBlocks: (request: CopyRequest) =>
    vault.copyBlocks({ ...request, size: Buffer.byteLength(request.name), headers: {} }),
};

describe.each(Object.keys(methods) as (keyof typeof methods)[])('%s', (method) => {
  const copy = (request: CopyRequest) => methods[method](request);
  const name = (what: string) => `${method}/${what}`;

  it('copies to a new name, and returns the ETag of the new blob', async () => {
    const request = await given(name('plain'));
    const { etag } = await copy(request);
    expect(await vault.getProperties('kept', request.name)).toMatchObject({ etag, type: 'block' });
    expect(await content(request.name)).toBe(request.name);
  });

  it('replaces metadata and sets tags and tier with the copy', async () => {
    const request = await given(name('dressed'), name('dressed'), { metadata: { theirs: '1' } });
    await copy({ ...request, metadata: { ours: '2' }, tags: { 'k 1': 'v=1', k2: '' }, tier: 'Cool' });
    const [blob] = (await vault.listBlobs('kept', { prefix: request.name, metadata: true, tags: true })).blobs;
    expect(blob).toMatchObject({ metadata: { ours: '2' }, tags: { 'k 1': 'v=1', k2: '' }, tagCount: 2, tier: 'Cool' });
    expect(blob?.metadata).not.toHaveProperty('theirs');
  });

  it('copies only the version that was listed', async () => {
    const request = await given(name('changed'));
    await given(name('changed'), name('CHANGED'));
    await expect(copy(request)).rejects.toMatchObject({ kind: 'precondition', status: 412 });
    expect(await vault.getProperties('kept', request.name)).toBeUndefined();
  });

  it('copies only onto what was seen', async () => {
    const request = await given(name('seen'));
    const first = await copy(request);
    await expect(copy(request)).rejects.toMatchObject({ kind: 'precondition' });
    await expect(copy({ ...request, destination: { ifMatch: '0x1' } })).rejects.toMatchObject({
      kind: 'precondition',
      status: 412,
    });
    const second = await copy({ ...request, destination: { ifMatch: first.etag } });
    expect(second.etag).not.toBe(first.etag);
  });

  it('reports a source that is gone', async () => {
    const request = await given(name('gone'));
    await sdk.from.getContainerClient('data').getBlobClient(request.name).delete();
    const error = (await copy(request).catch((reason) => reason)) as StorageError;
    // Azurite answers a condition on a missing source of a block with 412; either makes the caller look again.
    expect(['source-not-found', 'precondition']).toContain(error.kind);
  });

  it('reports a source that it may not read, without showing the request', async () => {
    const request = await given(name('secret'));
    const sourceUrl = request.sourceUrl.replace(/sig=[^&]*/, 'sig=CaNaRy00000000000000000000000000000000000000%3D');
    const error = await copy({ ...request, sourceUrl }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'source-access-denied', status: 403 });
    expect([String(error), (error as Error).stack, JSON.stringify(error)].join()).not.toContain('CaNaRy');
  });

  it('reports a destination that is leased', async () => {
    const request = await given(name('leased'));
    const { etag } = await copy(request);
    await sdk.to.getContainerClient('kept').getBlobClient(request.name).getBlobLeaseClient().acquireLease(-1);
    await expect(copy({ ...request, destination: { ifMatch: etag } })).rejects.toMatchObject({ kind: 'leased' });
  });

  it('reports a container that does not exist', async () => {
    await expect(copy({ ...(await given(name('lost'))), container: 'missing' })).rejects.toMatchObject({
      kind: 'container-not-found',
    });
  });

  it('stops at a signal', async () => {
    const stop = new AbortController();
    const request = await given(name('stopped'));
    proxy.rules.unshift({ match: ({ headers }) => 'x-ms-copy-source' in headers, before: () => stop.abort() });
    await expect(copy({ ...request, signal: stop.signal })).rejects.toMatchObject({ kind: 'aborted' });
  });
});

/** What was sent to copy, as far as it went over the wire. */
function sent(component: string | null) {
  return proxy.requests.filter(
    ({ query, headers }) => 'x-ms-copy-source' in headers && query.get('comp') === component,
  );
}

describe('copySync', () => {
  it('keeps headers and metadata of the source when it is given none', async () => {
    const client = sdk.from.getContainerClient('data').getBlockBlobClient('sync/kept');
    const { etag } = await client.upload('hello', 5, {
      blobHTTPHeaders: { blobContentType: 'text/html', blobContentLanguage: 'de', blobCacheControl: 'no-store' },
      metadata: { Theirs: '1' },
    });
    await vault.copySync({
      sourceUrl: access.urlOf('sync/kept'),
      sourceIfMatch: etag!.replaceAll('"', ''),
      container: 'kept',
      name: 'sync/kept',
      destination: 'absent',
      metadata: {},
    });
    const { blobs } = await vault.listBlobs('kept', { prefix: 'sync/kept', metadata: true, contentHeaders: true });
    expect(blobs).toMatchObject([
      {
        contentType: 'text/html',
        contentLanguage: 'de',
        cacheControl: 'no-store',
        contentMd5: 'XUFAKrxLKna5cZ2REBfFkg==',
        metadata: { Theirs: '1' },
      },
    ]);
  });

  it('is one request with everything in it', async () => {
    const request = await given('sync/one');
    const counts: RequestCounts = {};
    await countingRequests(counts, () =>
      vault.copySync({ ...request, metadata: { a: '1' }, tags: { b: '2' }, tier: 'Cold' }),
    );
    expect(counts).toEqual({ CopyBlobFromURL: 1 });
    expect(sent(null)).toMatchObject([
      {
        method: 'PUT',
        status: 202,
        headers: {
          'x-ms-requires-sync': 'true',
          'x-ms-source-if-match': `"${request.sourceIfMatch}"`,
          'if-none-match': '*',
          'x-ms-meta-a': '1',
          'x-ms-tags': 'b=2',
          'x-ms-access-tier': 'Cold',
        },
      },
    ]);
  });

  it('shows a copy whose answer was lost as one that something else made', async () => {
    const request = await given('sync/answer-lost');
    proxy.rules.unshift({ match: ({ headers }) => 'x-ms-requires-sync' in headers, times: 1, after: () => DROP });
    const counts: RequestCounts = {};
    const copied = countingRequests(counts, () => vault.copySync(request));
    await expect(copied).rejects.toMatchObject({ kind: 'precondition', code: 'BlobAlreadyExists' });
    expect(counts).toEqual({ CopyBlobFromURL: 2 });
    expect(await content(request.name)).toBe(request.name);
  });
});

describe('startCopy', () => {
  it.each(['page', 'append'] as const)('keeps the type of %s blobs', async (type) => {
    const container = sdk.from.getContainerClient('data');
    const body = Buffer.alloc(512, type);
    if (type === 'page') {
      await container.getPageBlobClient('start/page').create(512);
      await container.getPageBlobClient('start/page').uploadPages(body, 0, 512);
    } else {
      await container.getAppendBlobClient('start/append').create();
      await container.getAppendBlobClient('start/append').appendBlock(body, 512);
    }
    const name = `start/${type}`;
    const state = await source.getProperties('data', name);
    await vault.startCopy({
      sourceUrl: access.urlOf(name),
      sourceIfMatch: state!.etag,
      container: 'kept',
      name,
      destination: 'absent',
    });
    expect(await vault.getProperties('kept', name)).toMatchObject({
      type,
      size: 512,
      copy: { status: 'success', progress: '512/512' },
    });
    expect(await content(name)).toBe(body.toString());
  });

  it('is one request, also when the copy is pending, and returns its id', async () => {
    const request = await given('start/pending');
    proxy.rules.unshift({
      match: ({ method, headers }) => method === 'PUT' && 'x-ms-copy-source' in headers,
      after: (_, response) => ({ ...response, headers: { ...response.headers, 'x-ms-copy-status': 'pending' } }),
    });
    const counts: RequestCounts = {};
    const started = await countingRequests(counts, () => vault.startCopy(request));
    expect(counts).toEqual({ CopyBlob: 1 });
    expect(
      proxy.requests.filter(({ path }) => path.endsWith('/start/pending') && path.includes('/kept/')),
    ).toHaveLength(1);
    expect(started).toMatchObject({ status: 'pending', copyId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(await vault.getProperties('kept', request.name)).toMatchObject({
      etag: started.etag,
      copy: { id: started.copyId },
    });
  });

  it('is known to have succeeded when the answer says so', async () => {
    expect(await vault.startCopy(await given('start/success'))).toMatchObject({ status: 'success' });
  });

  it('does not copy tags by itself', async () => {
    const request = await given('start/tags');
    await source.setTags('data', request.name, { a: '1' });
    await vault.startCopy(request);
    expect(await vault.getProperties('kept', request.name)).not.toHaveProperty('tagCount');
  });

  it('shows a copy state that is pending, aborted or failed in looks and listings', async () => {
    const request = await given('start/states');
    const { copyId } = await vault.startCopy(request);
    let status = 'pending';
    proxy.rules.unshift(
      {
        match: ({ method, path }) => method === 'HEAD' && path.endsWith('/states'),
        after: (_, response) => ({
          ...response,
          headers: { ...response.headers, 'x-ms-copy-status': status, 'x-ms-copy-status-description': 'why' },
        }),
      },
      {
        match: ({ query }) => query.get('comp') === 'list',
        after: (_, response) => ({
          ...response,
          body: String(response.body).replace('<CopyStatus>success<', `<CopyStatus>${status}<`),
        }),
      },
    );
    for (status of ['pending', 'aborted', 'failed']) {
      expect((await vault.getProperties('kept', request.name))?.copy).toMatchObject({
        id: copyId,
        status,
        description: 'why',
      });
      const { blobs } = await vault.listBlobs('kept', { prefix: request.name, copy: true });
      expect(blobs[0]?.copy).toMatchObject({ id: copyId, status });
    }
  });
});

describe('abortCopy', () => {
  it('finds no copy to abort', async () => {
    const request = await given('abort/none');
    const { copyId } = await vault.startCopy(request);
    await expect(vault.abortCopy('kept', request.name, copyId)).rejects.toMatchObject({
      kind: 'no-pending-copy',
      status: 409,
    });
    await expect(vault.abortCopy('kept', 'abort/missing', copyId)).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('names the copy that it aborts', async () => {
    proxy.rules.unshift({
      match: ({ query }) => query.get('comp') === 'copy',
      answer: () => ({ status: 204, headers: {}, body: '' }),
    });
    await vault.abortCopy('kept', 'abort/some', 'copy-1');
    expect(proxy.requests).toMatchObject([{ method: 'PUT', headers: { 'x-ms-copy-action': 'abort' } }]);
    expect(proxy.requests[0]?.query.get('copyid')).toBe('copy-1');
  });
});

describe('copyBlocks', () => {
  it('copies in blocks, in parallel, with headers, metadata, tags and tier at the commit', async () => {
    const body = randomBytes(20 * MIB + 7);
    const request = await given('blocks/many', body);
    const counts: RequestCounts = {};
    const contentMd5 = 'XUFAKrxLKna5cZ2REBfFkg==';
    await countingRequests(counts, () =>
      vault.copyBlocks({
        ...request,
        size: body.length,
        headers: { ...HEADERS, contentMd5 },
        metadata: { a: '1' },
        tags: { b: '2' },
        tier: 'Cool',
      }),
    );
    expect(counts).toEqual({ PutBlockFromURL: 3, PutBlockList: 1 });
    expect((await vault.getObject('kept', request.name))?.body.equals(body)).toBe(true);
    const [blob] = (
      await vault.listBlobs('kept', { prefix: request.name, metadata: true, tags: true, contentHeaders: true })
    ).blobs;
    expect(blob).toMatchObject({
      ...HEADERS,
      contentMd5,
      metadata: { a: '1' },
      tags: { b: '2' },
      tier: 'Cool',
      size: body.length,
    });
  });

  it('sends the source condition with every block, signed', async () => {
    const body = randomBytes(9 * MIB);
    const request = await given('blocks/conditions', body);
    await vault.copyBlocks({ ...request, size: body.length, headers: {} });
    const staged = sent('block');
    expect(staged.map(({ headers, status }) => [headers['x-ms-source-if-match'], status])).toEqual([
      [`"${request.sourceIfMatch}"`, 201],
      [`"${request.sourceIfMatch}"`, 201],
    ]);
    expect(staged.map(({ headers }) => headers['x-ms-source-range']).sort()).toEqual([
      `bytes=0-${8 * MIB - 1}`,
      `bytes=${8 * MIB}-${9 * MIB - 1}`,
    ]);
    // Signed: without it, the same request is refused before anything else is looked at.
    const { path, query, headers } = staged[0]!;
    const { 'x-ms-source-if-match': _, ...rest } = headers;
    const replayed = await fetch(`${proxy.url}${path}?${query}`, {
      method: 'PUT',
      headers: { ...rest, 'x-ms-source-if-match': '"0x1"' },
    });
    expect(replayed.status).toBe(403);
  });

  it('commits nothing when the source changes between two blocks', async () => {
    const body = randomBytes(17 * MIB);
    const request = await given('blocks/changed', body);
    let staged = 0;
    proxy.rules.unshift({
      match: ({ query }) => query.get('comp') === 'block' && ++staged === 3,
      before: async () => {
        await given('blocks/changed', 'other');
      },
    });
    await expect(vault.copyBlocks({ ...request, size: body.length, headers: {} })).rejects.toMatchObject({
      kind: 'precondition',
      code: 'SourceConditionNotMet',
    });
    expect(await vault.getProperties('kept', request.name)).toBeUndefined();
    expect(proxy.requests.some(({ query }) => query.get('comp') === 'blocklist')).toBe(false);
  });

  it('stages the same blocks again on a second attempt', async () => {
    const body = randomBytes(9 * MIB);
    const request = await given('blocks/again', body);
    proxy.rules.unshift({
      match: ({ query }) => query.get('comp') === 'blocklist',
      times: 1,
      answer: () => ({ status: 403, headers: {}, body: '' }),
    });
    const attempt = () => vault.copyBlocks({ ...request, size: body.length, headers: {} });
    await expect(attempt()).rejects.toMatchObject({ kind: 'access-denied' });
    await attempt();
    const ids = sent('block').map(({ query }) => query.get('blockid'));
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(2);
  });

  it('leaves blocks that name the source and its version', async () => {
    const body = randomBytes(9 * MIB);
    const request = { ...(await given('blocks/named', body)), size: body.length };
    const is = (source: object) => vault.isCopiedInBlocks('kept', request.name, { ...request, ...source });
    expect(await is({})).toBe(false);
    const { etag } = await vault.copyBlocks({ ...request, headers: {} });
    // Neither the signature nor metadata that is set later counts.
    await vault.setMetadata('kept', request.name, { theirs: '1' }, etag);
    expect(await is({ sourceUrl: `${request.sourceUrl.split('?')[0]}?other` })).toBe(true);
    expect(await is({ sourceIfMatch: '0x1' })).toBe(false);
    expect(await is({ sourceUrl: request.sourceUrl.replace('named', 'other') })).toBe(false);
    expect(await is({ size: body.length - 1 })).toBe(false);
    await vault.putObject('kept', request.name, body, { contentType: 'text/plain' });
    expect(await is({})).toBe(false);
  });

  it('copies an empty blob at once, still under its condition', async () => {
    const request = await given('blocks/empty', '');
    await vault.copyBlocks({ ...request, size: 0, headers: {} });
    expect(await vault.getProperties('kept', request.name)).toMatchObject({ size: 0 });
    await given('blocks/empty', 'grown');
    await expect(vault.copyBlocks({ ...request, name: 'blocks/grown', size: 0, headers: {} })).rejects.toMatchObject({
      kind: 'precondition',
    });
  });

  it('reports a service that does not offer it', async () => {
    const request = await given('blocks/unsupported');
    proxy.rules.unshift({
      match: ({ query, headers }) => query.get('comp') === 'block' && 'x-ms-copy-source' in headers,
      answer: () => ({ status: 501, headers: {}, body: '' }),
    });
    await expect(vault.copyBlocks({ ...request, size: 5, headers: {} })).rejects.toMatchObject({ kind: 'unsupported' });
  });
});

describe('an archived source', () => {
  it.each(['copySync', 'startCopy'] as const)('is reported by %s', async (method) => {
    const request = await given(`archived/${method}`);
    await source.setTier('data', request.name, 'Archive');
    await expect(methods[method](request)).rejects.toMatchObject({ kind: 'archived', status: 409 });
  });
});
