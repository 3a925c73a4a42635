import { setTimeout as sleep } from 'node:timers/promises';
import { BlobSASPermissions, type BlobServiceClient, BlobServiceClient as Service } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestAccount, takeAccount } from '../support/azurite/accounts.ts';
import { makeContainer } from '../support/builders/collection.ts';
import {
  type AzureCopies,
  azureCopies,
  type CopyFate,
  FOR_EVER,
  FOREIGN_COPY,
} from '../support/faults/azure-copies.ts';
import { type FaultProxy, startFaultProxy } from '../support/faults/fault-proxy.ts';

/** The stand-in for Azure's asynchronous copies, seen through the proxy and past it. */
let account: TestAccount;
let proxy: FaultProxy;
let copies: AzureCopies;
let fate: CopyFate | undefined;
let service: BlobServiceClient;

beforeEach(async () => {
  account = takeAccount();
  fate = undefined;
  proxy = await startFaultProxy(new URL(account.blobEndpoint).origin);
  copies = azureCopies(account, () => fate);
  proxy.layers.push(copies.layer);
  service = Service.fromConnectionString(proxy.connectionString(account), { retryOptions: { maxTries: 1 } });
  for (const name of ['from', 'into']) await makeContainer(account.connectionString, name);
  const source = service.getContainerClient('from').getBlockBlobClient('a');
  await source.upload('content', 7, { metadata: { Owner: 'me' }, tags: { a: '1' } });
});

afterEach(() => proxy.stop());

const target = () => service.getContainerClient('into').getBlobClient('a');
const past = () => Service.fromConnectionString(account.connectionString).getContainerClient('into').getBlobClient('a');
const start = async (conditions: { ifMatch?: string; ifNoneMatch?: string } = {}) => {
  const source = service.getContainerClient('from').getBlobClient('a');
  const permissions = BlobSASPermissions.parse('r');
  const url = await source.generateSasUrl({ permissions, expiresOn: new Date(Date.now() + 600_000) });
  // Its poller is not asked: what counts is the answer to the request that starts the copy.
  await target().beginCopyFromURL(url, { conditions, metadata: { Record: 'x' } });
  const { headers } = proxy.requests.findLast((request) => 'x-ms-copy-source' in request.headers)!.received!;
  return { copyStatus: headers['x-ms-copy-status'], copyId: headers['x-ms-copy-id']!, etag: headers.etag! };
};
const listed = async () => {
  for await (const item of service
    .getContainerClient('into')
    .listBlobsFlat({ includeCopy: true, includeMetadata: true }))
    return item;
  throw new Error('The container is empty.');
};
const refusedAs = (code: string) => expect.objectContaining({ code });

test('while a copy is pending its destination is empty, with the new metadata, and no request may change it', async () => {
  fate = FOR_EVER;
  const started = await start();
  expect(started.copyStatus).toBe('pending');
  const seen = await target().getProperties();
  expect(seen).toMatchObject({ copyStatus: 'pending', copyId: started.copyId, contentLength: 0, etag: started.etag });
  const item = await listed();
  expect(item.metadata).toEqual({ Record: 'x' });
  expect(item.properties).toMatchObject({ copyStatus: 'pending', copyId: started.copyId, contentLength: 0 });
  expect(`"${item.properties.etag.replaceAll('"', '')}"`).toBe(started.etag);
  expect((await past().getProperties()).contentLength).toBe(0);
  await expect(start()).rejects.toEqual(refusedAs('PendingCopyOperation'));
  await expect(target().createSnapshot()).rejects.toEqual(refusedAs('PendingCopyOperation'));
  await expect(target().setMetadata({})).rejects.toEqual(refusedAs('PendingCopyOperation'));
});

test('a copy succeeds after so many looks, with its content, metadata and tags', async () => {
  fate = { looks: 2, end: 'success' };
  const { copyId } = await start();
  const looks = [await target().getProperties(), await target().getProperties(), await target().getProperties()];
  expect(looks.map(({ copyStatus }) => copyStatus)).toEqual(['pending', 'pending', 'success']);
  expect(looks[2]).toMatchObject({ copyId, contentLength: 7 });
  expect((await past().downloadToBuffer()).toString()).toBe('content');
  await target().createSnapshot({ conditions: { ifMatch: looks[2]!.etag! } });
});

test.each(['failed', 'aborted'] as const)(
  'a copy that is %s really leaves an empty blob with the metadata',
  async (end) => {
    fate = { looks: 0, end };
    await start();
    expect(await target().getProperties()).toMatchObject({
      copyStatus: end,
      contentLength: 0,
      metadata: { record: 'x' },
    });
    expect((await past().getProperties()).contentLength).toBe(0);
    fate = undefined;
    expect((await start()).copyStatus).toBe('success');
    expect((await target().getProperties()).contentLength).toBe(7);
  },
);

test('abort wants the right id and a pending copy', async () => {
  fate = FOR_EVER;
  const { copyId } = await start();
  await expect(target().abortCopyFromURL(FOREIGN_COPY)).rejects.toEqual(refusedAs('CopyIdMismatch'));
  await target().abortCopyFromURL(copyId);
  await expect(target().abortCopyFromURL(copyId)).rejects.toEqual(refusedAs('NoPendingCopyOperation'));
  expect((await target().getProperties()).copyStatus).toBe('aborted');
});

test('copies vanish, or belong to another writer', async () => {
  fate = { looks: 0, end: 'vanishes' };
  await start();
  expect((await target().getProperties()).copyStatus).toBeUndefined();
  fate = { looks: 0, end: 'replaced' };
  await start();
  expect(await target().getProperties()).toMatchObject({ copyStatus: 'success', copyId: FOREIGN_COPY });
  expect((await past().downloadToBuffer()).toString()).toBe('fffffff');
});

test('an orphaned copy keeps everybody off until it is aborted by its id', async () => {
  await copies.orphan('into', 'a');
  await expect(start()).rejects.toEqual(refusedAs('PendingCopyOperation'));
  copies.heal();
  expect((await target().getProperties()).copyStatus).toBe('pending');
  await target().abortCopyFromURL(FOREIGN_COPY);
  expect((await start()).copyStatus).toBe('success');
});

test('conditions that are not met refuse a copy before anything is emptied', async () => {
  await target().getBlockBlobClient().upload('before', 6);
  fate = FOR_EVER;
  await expect(start({ ifMatch: '"0x1"' })).rejects.toMatchObject({ statusCode: 412 });
  await expect(start({ ifNoneMatch: '*' })).rejects.toMatchObject({ statusCode: 409 });
  await sleep(10);
  expect((await past().downloadToBuffer()).toString()).toBe('before');
});
