import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { BlobServiceClient } from '@azure/storage-blob';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SnapshotOrVersion } from '#domain/blobs/blob.ts';
import { reducedSource } from '#domain/copying/copy-source.ts';
import { connectBlobAccount } from '#storage/azure/connect.ts';
import type { BlobAccount, BlobPage, CopyRequest, ReadAccess } from '#storage/blob-account.ts';
import { MemoryAccount, MemoryStorage } from '../../prove/memory/memory-account.ts';
import { MemoryBlobs } from '../../prove/memory/memory-blobs.ts';
import { takeAccounts } from '../support/azurite/accounts.ts';
import { plainTraits } from '../support/builders/plain-traits.ts';

/** The storage of the simulation answers as the real adapter does: both are held to the same. */

const TEXT = { contentType: 'text/plain' };

interface Accounts {
  source: BlobAccount;
  vault: BlobAccount;
  /** What the adapter does not do. */
  remove(container: string, name: string): Promise<unknown>;
  lease(container: string, name: string): Promise<unknown>;
  make(container: string, name: string, type: 'page' | 'append'): Promise<unknown>;
}

async function onEmulator(): Promise<Accounts> {
  const [from, to] = takeAccounts(2);
  const sdk = {
    source: BlobServiceClient.fromConnectionString(from!.connectionString),
    vault: BlobServiceClient.fromConnectionString(to!.connectionString),
  };
  return {
    source: connectBlobAccount({ alias: 'source', connectionString: from!.connectionString }),
    vault: connectBlobAccount({ alias: 'vault', connectionString: to!.connectionString }),
    remove: (container, name) => sdk.source.getContainerClient(container).deleteBlob(name),
    lease: (container, name) =>
      sdk.vault.getContainerClient(container).getBlobClient(name).getBlobLeaseClient().acquireLease(-1),
    make: (container, name, type) => {
      const client = sdk.source.getContainerClient(container);
      return type === 'page' ? client.getPageBlobClient(name).create(512) : client.getAppendBlobClient(name).create();
    },
  };
}

async function inMemory(): Promise<Accounts> {
  const traits = plainTraits({ now: () => Date.now() });
  const storage = new MemoryStorage();
  const source = new MemoryAccount(storage, 'source', traits);
  const vault = new MemoryAccount(storage, 'vault', traits);
  return {
    source: new MemoryBlobs(source),
    vault: new MemoryBlobs(vault),
    remove: async (container, name) => source.remove(container, name),
    lease: async (container, name) => vault.alter(container, name, { leased: true }, 'LeaseBlob'),
    make: async (container, name, type) =>
      source.write(container, { name, type, body: Buffer.alloc(type === 'page' ? 512 : 0) }),
  };
}

describe.each([
  ['the emulator', onEmulator],
  ['memory', inMemory],
] as const)('%s', (_name, open) => {
  let accounts: Accounts;
  let source: BlobAccount;
  let vault: BlobAccount;
  let access: ReadAccess;

  beforeAll(async () => {
    accounts = await open();
    ({ source, vault } = accounts);
    expect(await source.createContainer('data')).toBe('created');
    expect(await vault.createContainer('kept')).toBe('created');
    access = await source.readAccess('data', new Date(Date.now() + 600_000));
  });

  const put = (name: string, body: string, more: Parameters<BlobAccount['putObject']>[3] = TEXT) =>
    source.putObject('data', name, Buffer.from(body), more);

  async function given(name: string, more?: Parameters<BlobAccount['putObject']>[3]): Promise<CopyRequest> {
    const { etag } = await put(name, name, more);
    return { sourceUrl: access.urlOf(name), sourceIfMatch: etag, container: 'kept', name, destination: 'absent' };
  }

  it('makes containers once, and lists them', async () => {
    expect(await vault.createContainer('kept')).toBe('exists');
    expect((await vault.listContainers()).names).toContain('kept');
  });

  it('shows a container with the metadata it was made with, and with the access that was set', async () => {
    expect(await source.containerProperties('shown')).toBeUndefined();
    await expect(source.accessPolicies('shown')).rejects.toMatchObject({ kind: 'container-not-found' });
    // Its name begins with that of the other one.
    await source.createContainer('shown-too');
    expect(await source.containerProperties('shown')).toBeUndefined();
    await source.createContainer('shown', { Owner: 'web', costCenter: '1 2' });
    expect(await source.containerProperties('shown')).toEqual({ metadata: { Owner: 'web', costCenter: '1 2' } });
    expect(await source.accessPolicies('shown')).toEqual([]);
    const policies = [
      { id: 'a & <b>', start: '2026-01-01T00:00:00.000Z', expiry: '2036-01-01T00:00:00.123Z', permissions: 'rl' },
      { id: 'open', permissions: 'r' },
    ];
    await source.setAccess('shown', { publicAccess: 'blob', policies });
    expect(await source.accessPolicies('shown')).toEqual(policies);
    expect(await source.containerProperties('shown')).toMatchObject({
      metadata: { Owner: 'web', costCenter: '1 2' },
      publicAccess: 'blob',
    });
    await source.setAccess('shown', { policies: [] });
    expect(await source.containerProperties('shown')).not.toHaveProperty('publicAccess');
    expect(await source.accessPolicies('shown')).toEqual([]);
  });

  it('writes objects only over what was expected', async () => {
    const first = await vault.putObject('kept', 'o', Buffer.from('1'), { ...TEXT, expect: 'absent' });
    const again = vault.putObject('kept', 'o', Buffer.from('2'), { ...TEXT, expect: 'absent' });
    await expect(again).rejects.toMatchObject({ kind: 'precondition', status: 409, code: 'BlobAlreadyExists' });
    await vault.putObject('kept', 'o', Buffer.from('3'), { ...TEXT, expect: { ifMatch: first.etag } });
    const late = vault.putObject('kept', 'o', Buffer.from('4'), { ...TEXT, expect: { ifMatch: first.etag } });
    await expect(late).rejects.toMatchObject({ kind: 'precondition', status: 412 });
    expect((await vault.getObject('kept', 'o'))?.body.toString()).toBe('3');
    const nowhere = vault.putObject('missing', 'o', Buffer.from('5'), TEXT);
    await expect(nowhere).rejects.toMatchObject({ kind: 'container-not-found' });
    expect(await vault.getObject('missing', 'o')).toBeUndefined();
    expect(await vault.getObject('kept', 'nothing')).toBeUndefined();
  });

  it('appends to an object that it makes, and says when it was last written by the same clock as now', async () => {
    for (const line of ['1\n', '2\n']) await vault.appendObject('kept', 'appended', Buffer.from(line));
    const found = await vault.getObject('kept', 'appended');
    expect(found?.body.toString()).toBe('1\n2\n');
    const age = found!.readAt.getTime() - found!.lastModified.getTime();
    expect([age >= 0, age < 60_000]).toEqual([true, true]);
    const nowhere = vault.appendObject('missing', 'appended', Buffer.from('1'));
    await expect(nowhere).rejects.toMatchObject({ kind: 'container-not-found' });
  });

  it('shows a blob in the same way by listing and by properties, except for the case of metadata keys', async () => {
    await put('told', 'told', { ...TEXT, metadata: { CamelCase: ' v ' } });
    await source.setTags('data', 'told', { a: '1' });
    await source.setTier('data', 'told', 'Cool');
    const asked = { prefix: 'told', metadata: true, copy: true, contentHeaders: true };
    const [listed] = (await source.listBlobs('data', asked)).blobs;
    expect(listed).toMatchObject({
      metadata: { CamelCase: 'v' },
      tagCount: 1,
      tier: 'Cool',
      contentType: 'text/plain',
    });
    expect(listed).not.toHaveProperty('tierInferred');
    expect(listed).not.toHaveProperty('tags');
    expect(listed).not.toHaveProperty('copy');
    const looked = await source.getProperties('data', 'told');
    expect(looked).toMatchObject({ etag: listed!.etag, size: 4, metadata: { camelcase: 'v' } });
    const [tagged] = (await source.listBlobs('data', { prefix: 'told', tags: true })).blobs;
    expect(tagged?.tags).toEqual({ a: '1' });
    expect(await source.getProperties('data', 'nothing')).toBeUndefined();
    await expect(source.listBlobs('missing', {})).rejects.toMatchObject({ kind: 'container-not-found' });
  });

  it('groups names, and ends a page at the limit of the request', async () => {
    for (const name of ['p/a', 'p/d/1', 'p/d/2', 'p/e/x']) await put(name, name);
    const page = await source.listBlobs('data', { prefix: 'p/', delimiter: '/' });
    expect([page.blobs.map(({ name }) => name), page.prefixes, page.next]).toEqual([
      ['p/a'],
      ['p/d/', 'p/e/'],
      undefined,
    ]);
    const first = await source.listBlobs('data', { prefix: 'p/', limit: 1 });
    expect(first.blobs.map(({ name }) => name)).toEqual(['p/a']);
    const next = await source.listBlobs('data', { prefix: 'p/', limit: 2, marker: first.next! });
    expect(next.blobs.map(({ name }) => name)).toEqual(['p/d/1', 'p/d/2']);
  });

  it('changes neither ETag nor time with tags and tier, and the ETag with metadata', async () => {
    const { etag } = await put('kept-etag', 'x');
    await source.setTags('data', 'kept-etag', { a: '1' });
    await source.setTier('data', 'kept-etag', 'Cool');
    expect((await source.getProperties('data', 'kept-etag'))?.etag).toBe(etag);
    const changed = await source.setMetadata('data', 'kept-etag', { b: '2' }, etag);
    expect(changed).not.toBe(etag);
    await expect(source.setMetadata('data', 'kept-etag', {}, etag)).rejects.toMatchObject({ kind: 'precondition' });
    await expect(source.setTier('data', 'nothing', 'Cool')).rejects.toMatchObject({ kind: 'not-found' });
    await expect(source.setTags('data', 'nothing', {})).rejects.toMatchObject({ kind: 'not-found' });
  });

  it('keeps the ETag in a snapshot, which is pinned to it', async () => {
    const { etag } = await put('snapped', 'x');
    await source.snapshot('data', 'snapped', etag);
    expect((await source.getProperties('data', 'snapped'))?.etag).toBe(etag);
    await expect(source.snapshot('data', 'snapped', '0x1')).rejects.toMatchObject({ kind: 'precondition' });
    expect((await source.listBlobs('data', { prefix: 'snapped' })).blobs).toHaveLength(1);
  });

  const content = async (name: string, ifMatch: string, snapshotOrVersion?: SnapshotOrVersion) =>
    (
      await buffer(
        Readable.from(source.readContent('data', name, { ifMatch, ...(snapshotOrVersion && { snapshotOrVersion }) })),
      )
    ).toString();

  async function snapped(name: string) {
    const old = await put(name, 'old', { ...TEXT, metadata: { Version: '1' } });
    const snapshotOrVersion = { snapshot: await source.snapshot('data', name, old.etag) };
    const base = await put(name, 'newer');
    return { snapshotOrVersion, etag: old.etag, base: base.etag };
  }

  it('lists snapshots beside their blobs when it is asked to, and looks at them', async () => {
    const { snapshotOrVersion, etag, base } = await snapped('kept/listed');
    await put('kept/listed too', 'x');
    const { blobs } = await source.listBlobs('data', {
      prefix: 'kept/listed',
      snapshotsAndVersions: true,
      metadata: true,
    });
    expect(blobs).toHaveLength(3);
    expect(snapshotOrVersion.snapshot).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
    expect(blobs.find((blob) => blob.snapshotOrVersion)).toMatchObject({
      snapshotOrVersion,
      etag,
      size: 3,
      metadata: { Version: '1' },
    });
    expect(blobs.find((blob) => !blob.snapshotOrVersion)).toMatchObject({ name: 'kept/listed', etag: base, size: 5 });
    expect((await source.listBlobs('data', { prefix: 'kept/listed' })).blobs).toHaveLength(2);
    expect(await source.getProperties('data', 'kept/listed', snapshotOrVersion)).toMatchObject({
      snapshotOrVersion,
      etag,
      metadata: { version: '1' },
    });
    expect(await source.getProperties('data', 'kept/listed')).not.toHaveProperty('snapshotOrVersion');
    expect(
      await source.getProperties('data', 'kept/listed', { snapshot: '2020-01-01T00:00:00.0000000Z' }),
    ).toBeUndefined();
  });

  it('reads all of a blob, or of a snapshot, pinned to its ETag', async () => {
    const { snapshotOrVersion, etag, base } = await snapped('kept/read');
    expect(await content('kept/read', base)).toBe('newer');
    expect(await content('kept/read', etag, snapshotOrVersion)).toBe('old');
    await expect(content('kept/read', etag)).rejects.toMatchObject({ kind: 'precondition' });
    await expect(content('kept/read', base, snapshotOrVersion)).rejects.toMatchObject({ kind: 'precondition' });
    await source.setTier('data', 'kept/read', 'Archive');
    await expect(content('kept/read', base)).rejects.toMatchObject({ kind: 'archived', status: 409 });
    const empty = await put('kept/empty', '');
    expect(await content('kept/empty', empty.etag)).toBe('');
  });

  it('deletes a snapshot by itself, and a blob only without its snapshots', async () => {
    const { snapshotOrVersion, etag, base } = await snapped('kept/deleted');
    const remove = (ifMatch: string, which?: SnapshotOrVersion) =>
      source.deleteBlob('data', 'kept/deleted', { ifMatch, ...(which && { snapshotOrVersion: which }) });
    await expect(remove(etag)).rejects.toMatchObject({ kind: 'precondition' });
    await expect(remove(base)).rejects.toMatchObject({ kind: 'snapshots-present', status: 409 });
    await expect(remove(base, snapshotOrVersion)).rejects.toMatchObject({ kind: 'precondition' });
    await remove(etag, snapshotOrVersion);
    await expect(remove(etag, snapshotOrVersion)).rejects.toMatchObject({ kind: 'not-found' });
    await remove(base);
    await expect(remove(base)).rejects.toMatchObject({ kind: 'not-found' });
    expect(await source.getProperties('data', 'kept/deleted')).toBeUndefined();
  });

  it('deletes no leased blob', async () => {
    const { etag } = await vault.putObject('kept', 'leased', Buffer.from('x'), TEXT);
    await accounts.lease('kept', 'leased');
    await expect(vault.deleteBlob('kept', 'leased', { ifMatch: etag })).rejects.toMatchObject({ kind: 'leased' });
  });

  it('deletes a container with all that is in it', async () => {
    await vault.createContainer('doomed');
    await vault.putObject('doomed', 'x', Buffer.from('x'), TEXT);
    await vault.deleteContainer('doomed');
    expect((await vault.listContainers()).names).not.toContain('doomed');
    await expect(vault.deleteContainer('doomed')).rejects.toMatchObject({ kind: 'container-not-found' });
    const late = vault.deleteBlob('doomed', 'x', { ifMatch: '0x1' });
    await expect(late).rejects.toMatchObject({ kind: 'container-not-found' });
  });

  it('clears all metadata', async () => {
    const { etag } = await put('kept/cleared', 'x', { ...TEXT, metadata: { a: '1' } });
    await source.setMetadata('data', 'kept/cleared', {}, etag);
    expect((await source.getProperties('data', 'kept/cleared'))?.metadata).toEqual({});
  });

  const methods = {
    copySync: (request: CopyRequest) => vault.copySync(request),
    startCopy: (request: CopyRequest) => vault.startCopy(request),
    copyBlocks: (request: CopyRequest) =>
      vault.copyBlocks({ ...request, size: Buffer.byteLength(request.name), headers: {} }),
  };

  describe.each(Object.keys(methods) as (keyof typeof methods)[])('%s', (method) => {
    const copy = (request: CopyRequest) => methods[method](request);

    it('makes the blob that its answer describes, as the request says', async () => {
      const request = await given(`${method}/made`, { ...TEXT, metadata: { theirs: '1' } });
      const { etag } = await copy({ ...request, metadata: { ours: '2' }, tags: { k: 'v' }, tier: 'Cool' });
      const [made] = (await vault.listBlobs('kept', { prefix: request.name, metadata: true, tags: true, copy: true }))
        .blobs;
      expect(made).toMatchObject({ etag, metadata: { ours: '2' }, tags: { k: 'v' }, tier: 'Cool' });
      expect(made?.copy?.status).toBe(method === 'copyBlocks' ? undefined : 'success');
      expect((await vault.getObject('kept', request.name))?.body.toString()).toBe(request.name);
      const blocks = (sourceIfMatch: string) =>
        vault.isCopiedInBlocks('kept', request.name, { ...request, sourceIfMatch, size: request.name.length });
      expect(await blocks(request.sourceIfMatch)).toBe(method === 'copyBlocks');
      expect(await blocks('0x1')).toBe(false);
    });

    it('copies a snapshot, pinned to it, and says what it copied', async () => {
      const from = `${method}/snapshot`;
      const { snapshotOrVersion, etag, base } = await snapped(from);
      const request: CopyRequest = {
        sourceUrl: access.urlOf(from, snapshotOrVersion),
        sourceIfMatch: etag,
        container: 'kept',
        // Its length tells the size.
        name: `${method}/snapshot`.slice(-3),
        destination: 'absent',
      };
      await expect(copy({ ...request, sourceIfMatch: base })).rejects.toMatchObject({ kind: 'precondition' });
      const { etag: made } = await copy(request);
      expect((await vault.getObject('kept', request.name))?.body.toString()).toBe('old');
      const looked = await vault.getProperties('kept', request.name);
      const source = method === 'copyBlocks' ? undefined : reducedSource(request.sourceUrl);
      expect(looked?.copy?.source).toBe(source);
      await vault.deleteBlob('kept', request.name, { ifMatch: made });
    });

    it('is held to what was seen of both sides', async () => {
      const request = await given(`${method}/seen`);
      const { etag } = await copy(request);
      await expect(copy(request)).rejects.toMatchObject({ kind: 'precondition' });
      await expect(copy({ ...request, destination: { ifMatch: '0x1' } })).rejects.toMatchObject({
        kind: 'precondition',
      });
      await put(request.name, 'changed');
      await expect(copy({ ...request, destination: { ifMatch: etag } })).rejects.toMatchObject({
        kind: 'precondition',
      });
      await accounts.remove('data', request.name);
      const gone = await copy({ ...request, destination: { ifMatch: etag } }).catch(({ kind }) => kind);
      expect(['source-not-found', 'precondition']).toContain(gone);
    });

    it('stops at a lease, and at a container that is not there', async () => {
      const request = await given(`${method}/leased`);
      const { etag } = await copy(request);
      await accounts.lease('kept', request.name);
      await expect(copy({ ...request, destination: { ifMatch: etag } })).rejects.toMatchObject({ kind: 'leased' });
      await expect(copy({ ...request, container: 'missing' })).rejects.toMatchObject({ kind: 'container-not-found' });
    });
  });

  it('copies metadata along when it is given none', async () => {
    const request = await given('along', { ...TEXT, metadata: { theirs: '1' } });
    await vault.copySync(request);
    expect((await vault.getProperties('kept', 'along'))?.metadata).toEqual({ theirs: '1' });
  });

  it.each(['copySync', 'startCopy'] as const)('reads nothing archived (%s)', async (method) => {
    const request = await given(`archived/${method}`);
    await source.setTier('data', request.name, 'Archive');
    await expect(methods[method](request)).rejects.toMatchObject({ kind: 'archived', status: 409 });
  });

  it.each(['page', 'append'] as const)('keeps the type of %s blobs', async (type) => {
    const name = `types/${type}`;
    await accounts.make('data', name, type);
    const { etag } = (await source.getProperties('data', name))!;
    await vault.startCopy({
      sourceUrl: access.urlOf(name),
      sourceIfMatch: etag,
      container: 'kept',
      name,
      destination: 'absent',
    });
    expect(await vault.getProperties('kept', name)).toMatchObject({ type, copy: { status: 'success' } });
  });

  it('has no copy to abort', async () => {
    const request = await given('abort');
    const { copyId } = await vault.startCopy(request);
    await expect(vault.abortCopy('kept', 'abort', copyId)).rejects.toMatchObject({
      kind: 'no-pending-copy',
      status: 409,
    });
    await expect(vault.abortCopy('kept', 'nothing', copyId)).rejects.toMatchObject({ kind: 'not-found' });
  });
});

describe('listings with snapshots, in memory alone', () => {
  it('break between a blob and its snapshots, and lose none', async () => {
    const account = new MemoryAccount(
      new MemoryStorage(),
      'vault',
      plainTraits({ page: () => 1, now: () => 0, tiers: [] }),
    );
    account.createContainer('kept');
    const expected: [string, string | undefined][] = [];
    for (const name of ['a', 'b', 'c']) {
      const { etag } = account.write('kept', { name });
      const ids = name === 'b' ? [] : [account.snapshot('kept', name, etag), account.snapshot('kept', name, etag)];
      expected.push(...ids.map((id): [string, string] => [name, id]), [name, undefined]);
    }
    const seen: [string, string | undefined][] = [];
    // One more page than there are entries would be one too many.
    for (let next: string | undefined = ''; next !== undefined && seen.length <= expected.length; ) {
      const page: BlobPage = account.listBlobs('kept', {
        snapshotsAndVersions: true,
        ...(next !== '' && { marker: next }),
      });
      for (const { name, snapshotOrVersion } of page.blobs)
        seen.push([
          name,
          snapshotOrVersion && 'snapshot' in snapshotOrVersion ? snapshotOrVersion.snapshot : undefined,
        ]);
      next = page.next;
    }
    expect(seen).toEqual(expected);
  });
});

describe('copies that stay pending, in memory alone', () => {
  it.each(['success', 'failed', 'aborted', 'changed'] as const)('end as %s', async (end) => {
    const storage = new MemoryStorage();
    const common = {
      compare: () => 0,
      page: (limit: number) => limit,
      now: () => 0,
      tiers: [],
      tags: true,
      unsupported: [],
      started: () => {},
      changed: () => {},
    };
    const from = new MemoryAccount(storage, 'source', { ...common, staysPending: () => false });
    const to = new MemoryAccount(storage, 'vault', { ...common, staysPending: () => true });
    from.createContainer('data');
    to.createContainer('kept');
    const { etag } = from.write('data', { name: 'a', body: Buffer.from('good') });
    const sourceUrl = (await new MemoryBlobs(from).readAccess('data', new Date(1))).urlOf('a');
    const request: CopyRequest = {
      sourceUrl,
      sourceIfMatch: etag,
      container: 'kept',
      name: 'a',
      destination: 'absent',
    };
    const started = to.startCopy({ ...request, metadata: { mine: '1' } });
    expect(to.getProperties('kept', 'a')).toMatchObject({ size: 0, copy: { id: started.copyId, status: 'pending' } });
    expect(() => to.startCopy({ ...request, destination: { ifMatch: started.etag } })).toThrow('PendingCopyOperation');
    expect(() => to.abortCopy('kept', 'a', 'another')).toThrow('CopyIdMismatch');
    if (end === 'changed') from.write('data', { name: 'a', body: Buffer.from('evil') });
    if (end === 'aborted') to.abortCopy('kept', 'a', started.copyId);
    to.endCopy('kept', 'a', started.copyId, end === 'failed' ? 'failed' : 'success');
    const status = end === 'changed' ? 'failed' : end;
    const good = end === 'success';
    expect(to.getProperties('kept', 'a')).toMatchObject({
      size: good ? 4 : 0,
      metadata: { mine: '1' },
      copy: { status },
    });
    expect(to.getObject('kept', 'a')?.body.toString()).toBe(good ? 'good' : '');
  });
});
