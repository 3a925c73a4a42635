import { describe, expect, it, test } from 'vitest';
import { copyBlob } from '#activities/copying/copy-blob.ts';
import type { BackupContext } from '#activities/copying/copy-context.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { readRecord, recordOf, withoutRecord, withRecord } from '#domain/copying/record.ts';
import type { BlobAccount, CopyRequest } from '#storage/blob-account.ts';
import { StorageError } from '#storage/storage-error.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { RUN } from '../../../support/builders/run-ref.ts';

const EARLIER = 'nightly-20260501T000000Z-bbbbbb';

/** One blob on each side; notes what is asked of the vault. */
function placeOf(source: BlobState, vault: Partial<BlobAccount>): { place: BackupContext; asked: string[] } {
  const asked: string[] = [];
  const noting = new Proxy(vault, {
    get: (target, name: keyof BlobAccount) => {
      asked.push(name);
      return target[name];
    },
  });
  const place = {
    owner: RUN.id,
    mode: 'incremental',
    method: 'auto',
    source: { listBlobs: async () => ({ blobs: [source], prefixes: [] }) } as unknown as BlobAccount,
    container: 'images',
    access: { urlOf: (name: string) => `https://source/${name}` },
    target: noting as BlobAccount,
    sourcePrefix: '',
    copyDeadlineMs: 3_600_000,
    destination: 'imagesbackup',
    targetPrefix: '',
    now: () => new Date('2026-05-02T00:00:00.000Z'),
  } satisfies BackupContext;
  return { place, asked };
}

describe('copying one blob', () => {
  it('I4: a backup blob that vanishes before its snapshot is checked again, and the source blob is copied as new', async () => {
    const source = blobState({ etag: '0x2' });
    const backup = blobState({ etag: '0xV', metadata: withRecord({}, recordOf(blobState(), EARLIER))! });
    const { place, asked } = placeOf(source, {
      snapshot: async () => {
        throw new StorageError('not-found', 'The blob is not there', 404, 'BlobNotFound');
      },
      getProperties: async () => undefined,
      copySync: async ({ destination }) => {
        expect(destination).toBe('absent');
        return { etag: '0xN' };
      },
    });
    const outcome = await copyBlob(place, { from: source, to: backup, reason: 'changed' });
    expect(outcome).toMatchObject({ status: 'copied', reason: 'new', vaultEtag: '0xN' });
    // The copy may be kept beside.
    expect(asked).toEqual(['snapshot', 'getProperties', 'getProperties', 'copySync']);
  });

  const outdated = (about: Partial<BlobState> = {}) =>
    blobState({ etag: '0xV', metadata: withRecord({}, recordOf(blobState(), EARLIER))!, ...about });

  it('a backup blob that no copy can replace is not kept once more', async () => {
    const source = blobState({ etag: '0x2' });
    const leased = outdated({ leased: true });
    const { place, asked } = placeOf(source, { getProperties: async () => leased });
    const isLeased = await copyBlob(place, { from: source, to: leased, reason: 'changed' });
    expect(isLeased).toMatchObject({ status: 'failed', code: 'destination-leased' });
    expect(asked.filter((name) => name !== 'alias')).toEqual(['getProperties']);
  });

  it('F2: a backup blob whose lease has ended since is kept and overwritten', async () => {
    const source = blobState({ etag: '0x2' });
    const { place, asked } = placeOf(source, {
      getProperties: async () => outdated(),
      snapshot: async () => '2026-05-02T00:00:00.0000000Z',
      copySync: async () => ({ etag: '0xN' }),
    });
    const outcome = await copyBlob(place, { from: source, to: outdated({ leased: true }), reason: 'changed' });
    expect(outcome).toMatchObject({ status: 'copied', vaultEtag: '0xN' });
    expect(asked.filter((name) => name !== 'alias')).toEqual(['getProperties', 'snapshot', 'copySync']);
  });

  it.each([
    ['of this state is used again', '0xV', 0],
    ['of another state keeps nothing of this one', '0xU', 1],
  ])('F2: after a run with failures, a snapshot %s', async (_, etag, taken) => {
    const source = blobState({ etag: '0x2' });
    const there = outdated({ etag, snapshotOrVersion: { snapshot: '2026-05-01T00:00:00.0000000Z' } });
    let snapshots = 0;
    const { place } = placeOf(source, {
      listBlobs: async () => ({ blobs: [there, outdated()], prefixes: [] }),
      snapshot: async () => `2026-05-02T00:00:0${snapshots++}.0000000Z`,
      copySync: async () => ({ etag: '0xN' }),
    });
    const context = { ...place, mayBeKept: async () => true };
    expect(await copyBlob(context, { from: source, to: outdated(), reason: 'changed' })).toMatchObject({
      status: 'copied',
    });
    expect(snapshots).toBe(taken);
  });

  it('I7: tags that a blob got after it was listed without any are read before it is copied', async () => {
    const tags = { owner: 'ada' };
    const now = blobState({ etag: '0x2', tagCount: 1 });
    const sent: CopyRequest[] = [];
    const { place } = placeOf(now, {
      getProperties: async () => undefined,
      copySync: async (request) => {
        if (request.sourceIfMatch !== '0x2')
          throw new StorageError('precondition', 'It changed', 412, 'ConditionNotMet');
        sent.push(request);
        return { etag: '0xN' };
      },
    });
    place.source.listBlobs = async (_container, asked) => ({
      blobs: [asked.tags ? { ...now, tags } : now],
      prefixes: [],
    });
    const outcome = await copyBlob(place, { from: blobState({ etag: '0x1' }), reason: 'new' });
    expect(outcome).toMatchObject({ status: 'copied', tags });
    expect(outcome).not.toHaveProperty('code');
    expect(sent).toMatchObject([{ tags }]);
  });

  it('I2, I7: metadata of the largest size leaves the record room for tags that are set later', async () => {
    const own = { a: 'x'.repeat(7000), b: 'x'.repeat(1190) };
    const written = recordOf(blobState(), EARLIER);
    const source = blobState({ metadata: own, tags: { a: '1' }, tagCount: 1 });
    const backup = blobState({ etag: '0xV', metadata: withRecord(own, written)! });
    const sent: Record<string, string>[] = [];
    const { place, asked } = placeOf(source, {
      setTags: async () => {},
      setMetadata: async (_container, _name, metadata) => {
        sent.push(metadata);
        return `0xN${sent.length}`;
      },
    });
    const outcome = await copyBlob(place, { from: source, to: backup, reason: 'tags' });
    expect(outcome).toMatchObject({ status: 'copied', method: 'properties', reason: 'tags', vaultEtag: '0xN2' });
    expect(outcome).toMatchObject({ metadata: own });
    expect(asked).toEqual(['setMetadata', 'setTags', 'setMetadata']);
    expect(sent.map((metadata) => readRecord(metadata)?.tags)).toEqual(['unsettled', recordOf(source, RUN.id).tags]);
    expect(sent.map((metadata) => withoutRecord(metadata))).toEqual([{ a: own.a }, { a: own.a }]);
  });

  it('I7: a change of tier leaves tags that are no longer readable on the backup blob', async () => {
    const tags = { owner: 'ada' };
    const record = { ...recordOf(blobState({ tags }), EARLIER), tier: 'Cool' };
    const backup = blobState({ etag: '0xV', metadata: withRecord({}, record)! });
    const source = blobState({ tier: 'Hot', tagCount: 1 });
    const tiers: (string | undefined)[] = [];
    const { place, asked } = placeOf(source, {
      setTier: async () => {},
      setMetadata: async (_container, _name, metadata) => {
        tiers.push(readRecord(metadata)?.tier);
        expect(readRecord(metadata)?.tags).toBe(record.tags);
        return '0xN';
      },
    });
    const outcome = await copyBlob(place, { from: source, to: backup, reason: 'tier' });
    expect(outcome).toMatchObject({ status: 'copied', reason: 'tier', vaultEtag: '0xN' });
    expect(asked).toEqual(['setMetadata', 'setTier', 'setMetadata']);
    expect(tiers).toEqual(['unsettled', 'Hot']);
  });

  // A block list committed without metadata makes a blob without any: only Copy Blob takes along what headers cannot
  // say.
  it('I7: the service copies metadata that cannot be sent; blocks would drop it', async () => {
    const source = blobState({ metadata: { owner: 'grün' } });
    const { place, asked } = placeOf(source, {
      copyBlocks: async () => ({ etag: '0xN' }),
      startCopy: async (request) => {
        expect(request.metadata).toBeUndefined();
        return { etag: '0xN', copyId: 'id', status: 'success' };
      },
    });
    const outcome = await copyBlob({ ...place, method: 'blocks' }, { from: source, reason: 'new' });
    expect(outcome).toMatchObject({ status: 'copied', method: 'async' });
    expect(asked).toEqual(['startCopy']);
  });

  it('I7: metadata that has no room beside the record is in the entry', async () => {
    const metadata = { a: 'x'.repeat(8100), b: 'x' };
    const source = blobState({ metadata });
    const { place } = placeOf(source, {
      copyBlocks: async (request) => {
        expect(request.metadata).toEqual(withRecord({}, recordOf(source, RUN.id)));
        return { etag: '0xN' };
      },
    });
    const outcome = await copyBlob({ ...place, method: 'blocks' }, { from: source, reason: 'new' });
    expect(outcome).toMatchObject({ status: 'copied', method: 'blocks', metadata });
  });
});

describe('I10: a record that a writer forged on the source', () => {
  const forged = { strongroom_etag: '0x1', strongroom_modified: 'x', strongroom_run: EARLIER };
  const room = 8192 - Object.entries(forged).flat().join('').length - 1;
  const cases: [what: string, metadata: Record<string, string>][] = [
    ['alone', forged],
    ['that leaves no room for ours', { ...forged, p: 'p'.repeat(room) }],
    ['beside a value that cannot be sent', { ...forged, owner: 'grün' }],
    ['in capitals, beside the mark of a directory', { STRONGROOM_ETAG: '0x1', HDI_isfolder: 'true', e: '' }],
  ];

  it.each(cases)('%s never reaches the vault, by no method, and is in the entry', async (_what, metadata) => {
    for (const method of ['sync', 'async', 'blocks'] as const) {
      const source = blobState({ etag: '0x2', metadata });
      const sent: (Record<string, string> | undefined)[] = [];
      const keep = async (request: CopyRequest) => {
        sent.push(request.metadata);
        return { etag: '0xN', copyId: 'id', status: 'success' as const };
      };
      const { place } = placeOf(source, { copySync: keep, startCopy: keep, copyBlocks: keep });
      const outcome = await copyBlob({ ...place, method }, { from: source, reason: 'new' });
      expect(outcome).toMatchObject({ status: 'copied', method, metadata });
      expect(sent).toHaveLength(1);
      expect(readRecord(sent[0])).toEqual(recordOf(source, RUN.id));
      expect(Object.keys(sent[0]!)).not.toContain('HDI_isfolder');
    }
  });

  it.each(cases)('%s is in the entry of a later run that finds the blob unchanged', async (_what, metadata) => {
    const source = blobState({ metadata });
    const backup = blobState({ etag: '0xV', metadata: withRecord(metadata, recordOf(source, EARLIER))! });
    const { place, asked } = placeOf(source, {});
    const outcome = await copyBlob(place, { from: source, to: backup, reason: 'changed' });
    expect(outcome).toMatchObject({ status: 'unchanged', vaultEtag: '0xV', metadata });
    expect(asked).toEqual([]);
  });
});

describe('access to the source', () => {
  const size = 40_000_000_000;

  it.each([
    ['sync', 10, 30],
    ['async', size, 75 + 167],
    ['blocks', size, 75 + 167],
  ] as const)('I9: by %s, of %d bytes, is for the one blob, and for %d minutes', async (method, bytes, minutes) => {
    const source = blobState({ size: bytes });
    const urls: string[] = [];
    const keep = async (request: CopyRequest) => {
      urls.push(request.sourceUrl);
      return { etag: '0xN', copyId: 'id', status: 'success' as const };
    };
    const { place } = placeOf(source, { copySync: keep, startCopy: keep, copyBlocks: keep });
    const signed: unknown[] = [];
    const urlOf = (name: string, kept: unknown, until?: Date) => {
      signed.push([name, kept, Math.round((until!.getTime() - place.now().getTime()) / 60_000)]);
      return 'https://source/signed';
    };
    const outcome = await copyBlob({ ...place, method, access: { urlOf } }, { from: source, reason: 'new' });
    expect(outcome).toMatchObject({ status: 'copied', method });
    expect([urls, signed]).toEqual([['https://source/signed'], [['a.txt', undefined, minutes]]]);
  });
});

describe('a blob without a record in an archive', () => {
  it('I10: is no evidence of an archived version, whatever its time and MD5', async () => {
    const source = blobState({ contentMd5: 'AA' });
    const there = blobState({ etag: '0xV', contentMd5: 'AA', lastModified: '2026-05-01T23:00:00.000Z' });
    const { place, asked } = placeOf(source, { snapshot: async () => 'then', copySync: async () => ({ etag: '0xN' }) });
    const archive = { prefix: '', folders: 'none' as const };
    expect(await copyBlob({ ...place, archive }, { from: source, to: there, reason: 'new' })).toMatchObject({
      status: 'copied',
      vaultEtag: '0xN',
    });
    expect(asked).toEqual(['snapshot', 'copySync']);
  });
});

test('I2: the leftovers of an interrupted copy get no snapshot, as they are not the version their record names', async () => {
  const source = blobState({ size: 5, type: 'page' });
  const backup = blobState({
    etag: '0xV',
    size: 0,
    type: 'page',
    metadata: withRecord({}, recordOf(source, EARLIER))!,
  });
  const startCopy = async () => ({ etag: '0xN', copyId: 'c', status: 'success' as const });
  const { place, asked } = placeOf(source, { startCopy });
  expect(await copyBlob(place, { from: source, to: backup, reason: 'incomplete' })).toMatchObject({ status: 'copied' });
  expect(asked).toEqual(['startCopy']);
});

describe('a copy that is refused because a blob is archived', () => {
  const archived = async () => {
    throw new StorageError('archived', 'This operation is not permitted on an archived blob', 409);
  };

  it('a copy succeeds if the source has left the archive tier in the meantime', async () => {
    let tries = 0;
    const source = blobState({ tier: 'Hot' });
    const { place } = placeOf(source, {
      getProperties: async () => undefined,
      copySync: async () => (++tries === 1 ? archived() : { etag: '0xN' }),
    });
    expect(await copyBlob(place, { from: source, reason: 'new' })).toMatchObject({
      status: 'copied',
      vaultEtag: '0xN',
    });
  });

  it('a copy fails if the archived blob is the one in the vault', async () => {
    const source = blobState({ tier: 'Hot' });
    const backup = blobState({
      etag: '0xV',
      tier: 'Archive',
      metadata: withRecord({}, recordOf(blobState({ etag: '0xO' }), EARLIER))!,
    });
    const { place } = placeOf(source, {
      getProperties: async () => backup,
      snapshot: async () => 'then',
      copySync: archived,
    });
    const outcome = await copyBlob(place, { from: source, to: backup, reason: 'changed' });
    expect(outcome).toMatchObject({ status: 'failed', code: 'destination-archived' });
  });
});

describe('tiers and tags that the vault refuses', () => {
  const refusing = (kind: 'tier-not-supported' | 'access-denied', field: 'tier' | 'tags') => ({
    copySync: async (request: { tier?: string; tags?: object }) => {
      if (request[field] !== undefined) throw new StorageError(kind, 'refused', 403);
      return { etag: '0xN' };
    },
  });

  it('F25: a copy omits a tier that the account does not offer, and its outcome says so', async () => {
    const source = blobState({ tier: 'Cool', tags: { a: '1' }, tagCount: 1 });
    const { place, asked } = placeOf(source, refusing('tier-not-supported', 'tier'));
    const outcome = await copyBlob(place, { from: source, reason: 'new' });
    expect(outcome).toMatchObject({ status: 'copied', code: 'tier-not-kept', method: 'sync' });
    expect(asked).toEqual(['copySync', 'copySync']);
  });

  it('F25: a copy omits tags without the right to write them, and its outcome says so', async () => {
    const source = blobState({ tags: { a: '1' }, tagCount: 1 });
    const { place } = placeOf(source, refusing('access-denied', 'tags'));
    const outcome = await copyBlob(place, { from: source, reason: 'new' });
    expect(outcome).toMatchObject({ status: 'copied', code: 'tags-not-written' });
  });

  it('F25: a copy without its tags does not record them, so the next run with the right sets them', async () => {
    const source = blobState({ tags: { a: '1' }, tagCount: 1 });
    const recorded = async (kind: 'access-denied' | 'invalid') => {
      let metadata: Record<string, string> | undefined;
      const copySync = async (request: { tags?: object; metadata?: Record<string, string> }) => {
        if (request.tags !== undefined) throw new StorageError(kind, 'refused', 403);
        metadata = request.metadata;
        return { etag: '0xN' };
      };
      await copyBlob(placeOf(source, { copySync }).place, { from: source, reason: 'new' });
      return readRecord(metadata);
    };
    expect(await recorded('access-denied')).toMatchObject({ etag: source.etag });
    expect((await recorded('access-denied'))?.tags).toBeUndefined();
    // A vault that has no tags at all will have none in the next run either.
    expect((await recorded('invalid'))?.tags).toBe(recordOf(source, 'nightly-20260501T000000Z-bbbbbb').tags);
  });

  it('F25: a blob that is backed up stays so if its tags cannot be set in place', async () => {
    const source = blobState({ tags: { a: '1' }, tagCount: 1 });
    const { tags: _, ...earlier } = recordOf(source, EARLIER);
    const backup = blobState({ etag: '0xV', metadata: withRecord({}, earlier)! });
    const setTags = async () => {
      throw new StorageError('access-denied', 'refused', 403);
    };
    const { place, asked } = placeOf(source, { setTags, setMetadata: async () => '0xM' });
    const outcome = await copyBlob(place, { from: source, to: backup, reason: 'tags' });
    expect(outcome).toMatchObject({ status: 'unchanged', code: 'tags-not-written', vaultEtag: '0xM' });
    expect(asked).toEqual(['setMetadata', 'setTags']);
  });

  it('F25: tags that are refused in every run cost one request per run, and leave the blob unchanged', async () => {
    const source = blobState({ tags: { a: '1' }, tagCount: 1 });
    const record = { ...recordOf(source, EARLIER), tags: 'unsettled' };
    const backup = blobState({ etag: '0xV', metadata: withRecord({}, record)! });
    const setTags = async () => {
      throw new StorageError('access-denied', 'refused', 403);
    };
    const { place, asked } = placeOf(source, { setTags });
    const outcome = await copyBlob(place, { from: source, to: backup, reason: 'tags' });
    expect(outcome).toMatchObject({ status: 'unchanged', code: 'tags-not-written', vaultEtag: '0xV' });
    expect(asked).toEqual(['setTags']);
  });

  it('a copy fails if the vault refuses everything', async () => {
    const source = blobState({ tags: { a: '1' }, tagCount: 1 });
    const { place, asked } = placeOf(source, {
      copySync: async () => {
        throw new StorageError('access-denied', 'refused', 403);
      },
    });
    const outcome = await copyBlob(place, { from: source, reason: 'new' });
    expect(outcome).toMatchObject({ status: 'failed', code: 'access-denied-destination' });
    expect(asked).toEqual(['copySync', 'copySync']);
  });
});

test('F25: a tier that the vault does not offer is recorded once, and not tried in every run', async () => {
  const backup = blobState({ etag: '0xV', metadata: withRecord({}, recordOf(blobState(), EARLIER))! });
  const source = blobState({ tier: 'Cool' });
  const tiers: (string | undefined)[] = [];
  const { place } = placeOf(source, {
    setTier: async () => {
      throw new StorageError('tier-not-supported', 'refused', 400);
    },
    setMetadata: async (_container, _name, metadata) => {
      tiers.push(readRecord(metadata)?.tier);
      return '0xN';
    },
  });
  const outcome = await copyBlob(place, { from: source, to: backup, reason: 'tier' });
  expect(outcome).toMatchObject({ status: 'copied', method: 'properties', code: 'tier-not-kept', vaultEtag: '0xN' });
  expect(tiers.at(-1)).toBe('Cool');
});

describe('I3: tags sent to a version that is replaced in the meantime', () => {
  const source = blobState({ etag: '0xS2' });

  it('the sender of the tags corrects them', async () => {
    const earlier = blobState({ tags: { a: '1' }, tagCount: 1 });
    const { tags: _, ...record } = recordOf(earlier, EARLIER);
    const backup = blobState({ etag: '0xV', metadata: withRecord({}, record)! });
    // Another execution has put the newer version there, which has no tags, before ours arrive.
    const now = blobState({
      etag: '0xW',
      metadata: withRecord({}, recordOf(source, 'nightly-20260502T000000Z-aaaaaa'))!,
    });
    const tags: object[] = [];
    const written: (string | undefined)[] = [];
    const { place } = placeOf(source, {
      setTags: async (_container, _name, wanted) => void tags.push(wanted),
      setMetadata: async (_container, _name, metadata) => {
        written.push(readRecord(metadata)?.tags);
        if (written.length === 2) throw new StorageError('precondition', 'It has been replaced', 412);
        return `0xM${written.length}`;
      },
      getProperties: async () => now,
    });
    const outcome = await copyBlob(place, { from: earlier, to: backup, reason: 'tags' });
    expect(outcome).toMatchObject({ status: 'copied', method: 'properties', vaultEtag: '0xM4' });
    expect(tags).toEqual([{ a: '1' }, {}]);
    expect(written).toEqual(['unsettled', recordOf(earlier, '').tags, 'unsettled', undefined]);
  });

  it('the writer that replaces the version expects the tags', async () => {
    const record = { ...recordOf(blobState({ etag: '0xS1' }), EARLIER), tags: 'unsettled' };
    const backup = blobState({ etag: '0xV', metadata: withRecord({}, record)! });
    let copied: Record<string, string> | undefined;
    const { place } = placeOf(source, {
      snapshot: async () => 'then',
      copySync: async ({ metadata }) => {
        copied = metadata;
        return { etag: '0xN' };
      },
    });
    expect(await copyBlob(place, { from: source, to: backup, reason: 'changed' })).toMatchObject({ status: 'copied' });
    expect(readRecord(copied)).toMatchObject({ etag: '0xS2', tags: 'unsettled' });
  });
});
