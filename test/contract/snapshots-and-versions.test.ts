import {
  AccountSASPermissions,
  BlobServiceClient,
  generateAccountSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { reducedSource } from '#domain/copying/copy-source.ts';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import type { BlobAccount, CopyRequest, ReadAccess } from '#storage/blob-account.ts';
import { countingRequests } from '#storage/requests.ts';
import { type TestAccount, takeAccounts } from '../support/azurite/accounts.ts';
import {
  type FaultProxy,
  type FaultRule,
  type ProxiedRequest,
  startFaultProxy,
} from '../support/faults/fault-proxy.ts';

const TEXT = { contentType: 'text/plain' };
const NEVER = '2020-01-01T00:00:00.0000000Z';

let given: TestAccount;
let proxy: FaultProxy;
let account: BlobAccount;
let other: BlobAccount;
let access: ReadAccess;

beforeAll(async () => {
  const [first, second] = takeAccounts(2);
  given = first!;
  proxy = await startFaultProxy(given.blobEndpoint);
  account = connect();
  other = connectBlobAccount({ alias: 'other', connectionString: proxy.connectionString(second!) });
  await account.createContainer('data');
  await other.createContainer('copies');
  access = await account.readAccess('data', new Date(Date.now() + 600_000));
});

afterAll(() => proxy.stop());

beforeEach(() => {
  proxy.rules.length = 0;
  proxy.requests.length = 0;
});

function connect(): BlobAccount {
  return connectBlobAccount({ alias: 'a', connectionString: proxy.connectionString(given) });
}

interface Snapped {
  name: string;
  snapshotOrVersion: SnapshotOrVersion;
  /** Of the snapshot. */
  etag: string;
  /** Of the base blob. */
  base: string;
}

/** A blob that says `new`, with a snapshot that says `old`. */
async function snapped(name: string): Promise<Snapped> {
  const old = await account.putObject('data', name, Buffer.from('old'), { ...TEXT, metadata: { Version: '1' } });
  const snapshot = await account.snapshot('data', name, old.etag);
  const { etag } = await account.putObject('data', name, Buffer.from('newer'), TEXT);
  return { name, snapshotOrVersion: { snapshot }, etag: old.etag, base: etag };
}

describe('a listing with what is kept', () => {
  const listed = async (from: BlobAccount, prefix: string) =>
    (await from.listBlobs('data', { prefix, snapshotsAndVersions: true, metadata: true })).blobs;

  it('has snapshots beside their blobs, each with its own state', async () => {
    const { name, snapshotOrVersion, etag, base } = await snapped('listed');
    const blobs = await listed(account, name);
    expect(blobs).toHaveLength(2);
    const [now, before] = [blobs.find((blob) => !blob.snapshotOrVersion), blobs.find((blob) => blob.snapshotOrVersion)];
    expect(now).toMatchObject({ name, etag: base, size: 5 });
    expect(before).toMatchObject({ name, snapshotOrVersion, etag, size: 3, metadata: { Version: '1' } });
    expect((await account.listBlobs('data', { prefix: name })).blobs).toMatchObject([{ etag: base }]);
  });

  const includes = () => proxy.requests.map(({ query }) => query.get('include'));
  const asksForVersions = ({ query }: ProxiedRequest) => query.get('include')?.includes('versions') === true;
  const refusing = (status: number, code?: string): FaultRule => ({
    match: asksForVersions,
    answer: () => ({ status, headers: code ? { 'x-ms-error-code': code } : {}, body: '' }),
  });

  it('asks for versions too', async () => {
    await listed(connect(), 'none');
    expect(includes()).toEqual(['metadata,snapshots,versions']);
  });

  it.each([
    [400, 'InvalidQueryParameterValue'],
    [409, 'FeatureVersionMismatch'],
    [501, undefined],
  ])('does without versions where they are refused (%i), and does not ask again', async (status, code) => {
    const { name } = await snapped(`refused/${status}`);
    const refused = connect();
    proxy.requests.length = 0;
    proxy.rules.push(refusing(status, code));
    const counts: RequestCounts = {};
    await countingRequests(counts, async () => {
      expect(await listed(refused, name)).toHaveLength(2);
      expect(await listed(refused, name)).toHaveLength(2);
    });
    expect(includes()).toEqual(['metadata,snapshots,versions', 'metadata,snapshots', 'metadata,snapshots']);
    expect(counts).toEqual({ ListBlobs: 3 });
  });

  it('fails for any other reason as it always does, and asks for versions again', async () => {
    const denied = connect();
    proxy.rules.push({ ...refusing(403, 'AuthorizationFailure'), times: 1 });
    await expect(listed(denied, 'x')).rejects.toMatchObject({ kind: 'access-denied' });
    await expect(denied.listBlobs('missing', { snapshotsAndVersions: true })).rejects.toMatchObject({
      kind: 'container-not-found',
    });
    // Refused whether or not versions are asked for: it says nothing about them.
    proxy.rules.push({ match: () => true, times: 2, answer: () => ({ status: 400, headers: {}, body: '' }) });
    await expect(listed(denied, 'x')).rejects.toMatchObject({ kind: 'invalid' });
    proxy.requests.length = 0;
    await listed(denied, 'x');
    expect(includes()).toEqual(['metadata,snapshots,versions']);
  });

  it('shows versions as the service lists them', async () => {
    const entry = (version: string, more = '') =>
      `<Blob><Name>v</Name><VersionId>${version}</VersionId>${more}<Properties>` +
      '<Last-Modified>Sat, 21 Nov 2026 05:57:45 GMT</Last-Modified><Etag>0x1</Etag>' +
      '<Content-Length>1</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>';
    const current = '<IsCurrentVersion>true</IsCurrentVersion>';
    const blobs = entry(NEVER) + entry('now', current);
    const body = `<?xml version="1.0"?><EnumerationResults><Blobs>${blobs}</Blobs><NextMarker /></EnumerationResults>`;
    proxy.rules.push({
      match: asksForVersions,
      answer: () => ({ status: 200, headers: { 'content-type': 'application/xml' }, body }),
    });
    expect((await listed(connect(), 'v')).map(({ snapshotOrVersion }) => snapshotOrVersion)).toEqual([
      { version: NEVER },
      undefined,
    ]);
  });
});

describe('what is kept of a blob', () => {
  it('is looked at by itself', async () => {
    const { name, snapshotOrVersion, etag, base } = await snapped('looked');
    expect(await account.getProperties('data', name, snapshotOrVersion)).toMatchObject({
      name,
      snapshotOrVersion,
      etag,
      size: 3,
      metadata: { version: '1' },
    });
    expect(await account.getProperties('data', name)).toMatchObject({ etag: base, size: 5 });
    expect(await account.getProperties('data', name)).not.toHaveProperty('snapshotOrVersion');
    expect(await account.getProperties('data', name, { snapshot: NEVER })).toBeUndefined();
  });

  it('is what the requests name, versions too', async () => {
    proxy.rules.push({ match: () => true, answer: () => ({ status: 404, headers: {}, body: '' }) });
    const snapshotOrVersion = { version: NEVER };
    const asked = [
      account.getProperties('data', 'x', snapshotOrVersion),
      account.setTier('data', 'x', 'Hot', { snapshotOrVersion, priority: 'High' }),
      account.deleteBlob('data', 'x', { ifMatch: '0x1', snapshotOrVersion }),
      account.readContent('data', 'x', { ifMatch: '0x1', snapshotOrVersion })[Symbol.asyncIterator]().next(),
    ];
    const ends = await Promise.allSettled(asked);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    expect(proxy.requests.map(({ query }) => query.get('versionid'))).toEqual([NEVER, NEVER, NEVER, NEVER]);
  });

  it('is given a tier of its own, and a priority where it is archived', async () => {
    const { name, snapshotOrVersion } = await snapped('tiered');
    proxy.requests.length = 0;
    proxy.rules.push({
      match: ({ query }) => query.get('comp') === 'tier',
      answer: () => ({ status: 202, headers: {}, body: '' }),
    });
    await account.setTier('data', name, 'Cool', { snapshotOrVersion, priority: 'High' });
    await account.setTier('data', name, 'Cool');
    const [snapshot, base] = proxy.requests;
    expect(snapshot?.query.get('snapshot')).toBe(Object.values(snapshotOrVersion)[0]);
    expect(snapshot?.headers).toMatchObject({ 'x-ms-access-tier': 'Cool', 'x-ms-rehydrate-priority': 'High' });
    expect(base?.query.get('snapshot')).toBeNull();
    expect(base?.headers).not.toHaveProperty('x-ms-rehydrate-priority');
  });

  it('is read by a URL of its own, which reads nothing else', async () => {
    const { name, snapshotOrVersion } = await snapped('dir/read me');
    const url = access.urlOf(name, snapshotOrVersion);
    expect(await (await fetch(url)).text()).toBe('old');
    expect(await (await fetch(access.urlOf(name))).text()).toBe('newer');
    const base = new URL(url);
    base.searchParams.delete('snapshot');
    expect((await fetch(base)).status).toBe(403);
    expect((await fetch(url.replace('read%20me', 'other'))).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
  });

  it('is reached by an account that has but a signature', async () => {
    const { name, snapshotOrVersion, etag } = await snapped('by signature');
    const sas = generateAccountSASQueryParameters(
      {
        expiresOn: new Date(Date.now() + 600_000),
        permissions: AccountSASPermissions.parse('rl'),
        resourceTypes: 'sco',
        services: 'b',
      },
      new StorageSharedKeyCredential(given.name, given.key),
    );
    const reader = connectBlobAccount({
      alias: 'r',
      connectionString: `BlobEndpoint=${given.blobEndpoint};SharedAccessSignature=${sas}`,
    });
    expect(await reader.getProperties('data', name, snapshotOrVersion)).toMatchObject({ etag, size: 3 });
    const { urlOf } = await reader.readAccess('data', new Date());
    expect(await (await fetch(urlOf(name, snapshotOrVersion))).text()).toBe('old');
  });
});

describe('a copy of a snapshot', () => {
  const copies = {
    copySync: (to: BlobAccount, request: CopyRequest) => to.copySync(request),
    startCopy: (to: BlobAccount, request: CopyRequest) => to.startCopy(request),
    copyBlocks: (to: BlobAccount, request: CopyRequest) => to.copyBlocks({ ...request, size: 3, headers: {} }),
  };

  it.each(
    (Object.keys(copies) as (keyof typeof copies)[]).flatMap((method) => [
      [method, 'within the account'] as const,
      [method, 'to another account'] as const,
    ]),
  )('by %s, %s, is of that snapshot and pinned to it', async (method, where) => {
    const { name, snapshotOrVersion, etag, base } = await snapped(`copied/${method}/${where}`);
    const [to, container] = where === 'within the account' ? [account, 'data'] : [other, 'copies'];
    const request: CopyRequest = {
      sourceUrl: access.urlOf(name, snapshotOrVersion),
      sourceIfMatch: etag,
      container,
      name: `${name} copy`,
      destination: 'absent',
    };
    await expect(copies[method](to, { ...request, sourceIfMatch: base })).rejects.toMatchObject({
      kind: 'precondition',
    });
    expect(await to.getProperties(container, request.name)).toBeUndefined();
    const made = await copies[method](to, request);
    expect((await to.getObject(container, request.name))?.body.toString()).toBe('old');
    const looked = await to.getProperties(container, request.name);
    const [listed] = (await to.listBlobs(container, { prefix: request.name, copy: true })).blobs;
    expect(looked?.etag).toBe(made.etag);
    const source = method === 'copyBlocks' ? undefined : reducedSource(request.sourceUrl);
    expect(source ?? 'snapshot=').toContain('snapshot=');
    expect([looked?.copy?.source, listed?.copy?.source]).toEqual([source, source]);
  });

  it('differs from a copy of its base blob, and shows no signature', async () => {
    const { name, base } = await snapped('copied/base');
    const sourceUrl = access.urlOf(name);
    await other.copySync({ sourceUrl, sourceIfMatch: base, container: 'copies', name, destination: 'absent' });
    const looked = await other.getProperties('copies', name);
    expect(looked?.copy?.source).toBe(`127.0.0.1/${given.name}/data/copied/base`);
    expect(looked?.copy?.source).toBe(reducedSource(sourceUrl));
    const listed = await other.listBlobs('copies', { prefix: name, copy: true });
    const signature = new URL(sourceUrl).searchParams.get('sig')!;
    expect(JSON.stringify([looked, listed])).not.toMatch(/sig=|sv=/);
    expect(JSON.stringify([looked, listed])).not.toContain(signature);
  });
});

describe('deleting', () => {
  it('takes a snapshot and nothing else', async () => {
    const { name, snapshotOrVersion, etag, base } = await snapped('deleted/snapshot');
    await expect(account.deleteBlob('data', name, { ifMatch: base, snapshotOrVersion })).rejects.toMatchObject({
      kind: 'precondition',
    });
    await account.deleteBlob('data', name, { ifMatch: etag, snapshotOrVersion });
    expect(await account.getProperties('data', name, snapshotOrVersion)).toBeUndefined();
    expect(await account.getProperties('data', name)).toMatchObject({ etag: base });
    await expect(account.deleteBlob('data', name, { ifMatch: etag, snapshotOrVersion })).rejects.toMatchObject({
      kind: 'not-found',
    });
  });

  it('takes a base blob, never with its snapshots', async () => {
    const { name, snapshotOrVersion, etag, base } = await snapped('deleted/base');
    const remove = (ifMatch: string) => account.deleteBlob('data', name, { ifMatch });
    await expect(remove(etag)).rejects.toMatchObject({ kind: 'precondition' });
    await expect(remove(base)).rejects.toMatchObject({ kind: 'snapshots-present', status: 409 });
    expect(await account.getProperties('data', name, snapshotOrVersion)).toMatchObject({ etag });
    await account.deleteBlob('data', name, { ifMatch: etag, snapshotOrVersion });
    await remove(base);
    expect(await account.getProperties('data', name)).toBeUndefined();
    await expect(remove(base)).rejects.toMatchObject({ kind: 'not-found' });
    expect(proxy.requests.some(({ headers }) => 'x-ms-delete-snapshots' in headers)).toBe(false);
  });

  it('is one request, and stops at a lease', async () => {
    const { etag } = await account.putObject('data', 'deleted/once', Buffer.from('x'), TEXT);
    const lease = BlobServiceClient.fromConnectionString(given.connectionString)
      .getContainerClient('data')
      .getBlobClient('deleted/once')
      .getBlobLeaseClient();
    await lease.acquireLease(-1);
    await expect(account.deleteBlob('data', 'deleted/once', { ifMatch: etag })).rejects.toMatchObject({
      kind: 'leased',
    });
    await lease.breakLease(0);
    const counts: RequestCounts = {};
    await countingRequests(counts, () => account.deleteBlob('data', 'deleted/once', { ifMatch: etag }));
    expect(counts).toEqual({ DeleteBlob: 1 });
    await expect(account.deleteBlob('missing', 'x', { ifMatch: etag })).rejects.toMatchObject({
      kind: 'container-not-found',
    });
  });

  it('takes a container with all that is in it', async () => {
    await account.createContainer('doomed');
    const { etag } = await account.putObject('doomed', 'x', Buffer.from('x'), TEXT);
    await account.snapshot('doomed', 'x', etag);
    const counts: RequestCounts = {};
    await countingRequests(counts, () => account.deleteContainer('doomed'));
    expect(counts).toEqual({ DeleteContainer: 1 });
    expect((await account.listContainers()).names).not.toContain('doomed');
    await expect(account.deleteContainer('doomed')).rejects.toMatchObject({ kind: 'container-not-found' });
  });
});
