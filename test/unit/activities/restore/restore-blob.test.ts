import { describe, expect, it } from 'vitest';
import { confirmRestore } from '#activities/restore/confirm-restore.ts';
import { restoreBlob } from '#activities/restore/restore-blob.ts';
import type { RestoreContext } from '#activities/restore/restore-route.ts';
import type { BlobState, CopyState } from '#domain/blobs/blob.ts';
import { recordOf, withRecord } from '#domain/copying/record.ts';
import {
  type Failed,
  type Held,
  isPending,
  type Outcome,
  type PendingCopy,
  type PlannedItem,
} from '#domain/run/outcome.ts';
import type { RestoreRef } from '#domain/run/run.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import type { BlobAccount, CopyRequest } from '#storage/blob-account.ts';
import { StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { RUN } from '../../../support/builders/run-ref.ts';

const POINT = 'nightly-20260501T000000Z-bbbbbb';
/** The version of the source that the restore point has. */
const ORIGINAL = blobState({ etag: '0xS1', contentMd5: 'AAAA' });
const ENTRY: Held = {
  name: ORIGINAL.name,
  status: 'copied',
  etag: ORIGINAL.etag,
  modified: ORIGINAL.lastModified,
  size: ORIGINAL.size,
  md5: 'AAAA',
  vaultEtag: '0xV1',
};
const IN_BACKUP = 'vault/imagesbackup/a.txt';
const WRITTEN = '2026-05-01T12:00:00.000Z';
const NOW = '2026-05-02T00:01:00.000Z';

/** The backup blob of a version of the source, with its record beside what metadata the source had. */
function held(original: BlobState = ORIGINAL, more: Partial<BlobState> = {}): BlobState {
  const metadata = withRecord(original.metadata, recordOf(original, POINT)) ?? original.metadata;
  return { ...original, etag: '0xV1', lastModified: WRITTEN, ...(metadata && { metadata }), ...more };
}

const madeFrom = (source: string, more: Partial<CopyState> = {}): CopyState => ({
  id: 'theirs',
  status: 'success',
  source,
  ...more,
});

type Fault = (method: string, call: number) => StorageErrorKind | 'lost' | undefined;

/**
 * A vault and a target that keep what they are told under one name, with the conditions that the service has. Every
 * request can be struck: refused, or carried out and then refused as if its answer were lost.
 */
class World {
  vault: BlobState[];
  target: BlobState | undefined;
  snapshots: BlobState[] = [];
  asked: string[] = [];
  /** What the blocks of the target name. */
  blocks = '';
  fault: Fault = () => undefined;
  /** Runs before a request is carried out. */
  meanwhile: (method: string, call: number) => void = () => {};
  /** What an asynchronous copy that was started is at first. */
  startsAs: CopyState['status'] = 'success';
  task: RestoreTask;
  method: RestoreContext['method'] = 'auto';
  now = NOW;
  run: Pick<RestoreRef, 'startedAt' | 'retryOf'> = RUN;
  #counts = new Map<string, number>();
  #etag = 0;
  #copies = 0;

  constructor(vault: BlobState[], target?: BlobState, task: Partial<RestoreTask> = {}) {
    this.vault = vault;
    this.target = target;
    this.task = {
      ...{ point: POINT, account: 'SOURCE', container: '{container}', prefix: '', existing: 'fail', containers: [] },
      ...{ startsWith: '', include: [], exclude: [], original: false },
      ...task,
    } as RestoreTask;
  }

  get place(): RestoreContext {
    return {
      run: this.run,
      policy: this.task,
      method: this.method,
      source: this.#vaultAccount as BlobAccount,
      container: 'imagesbackup',
      sourcePrefix: '',
      access: { urlOf: (name, kept) => `https://vault/imagesbackup/${name}?${JSON.stringify(kept ?? {})}` },
      target: this.#targetAccount as BlobAccount,
      destination: 'images',
      targetPrefix: '',
      makeTarget: () => this.place.target.createContainer('images'),
      copyDeadlineMs: 3_600_000,
      now: () => new Date(this.now),
    };
  }

  get planned(): PlannedItem {
    const source = this.vault[0] ?? blobState({ etag: '' });
    return { from: source, reason: 'restore', entry: ENTRY, ...(this.target && { to: this.target }) };
  }

  async #do<T>(method: string, effect: () => T): Promise<T> {
    const call = (this.#counts.get(method) ?? 0) + 1;
    this.#counts.set(method, call);
    this.asked.push(method);
    this.meanwhile(method, call);
    // Lets another execution come between.
    await Promise.resolve();
    const fault = this.fault(method, call);
    const struck = (kind: StorageErrorKind) => new StorageError(kind, `${method} was struck`, 500);
    if (fault !== undefined && fault !== 'lost') throw struck(fault);
    const done = effect();
    // The adapter has tried again, and was refused for what its own first request had done.
    if (fault === 'lost') throw struck('precondition');
    return done;
  }

  #vaultAccount: Partial<BlobAccount> = {
    endpoint: 'https://vault',
    listBlobs: () => this.#do('vault.listBlobs', () => ({ blobs: [...this.vault], prefixes: [] })),
    getProperties: (_container, _name, kept) =>
      this.#do('vault.look', () =>
        this.vault.find((blob) => JSON.stringify(blob.snapshotOrVersion) === JSON.stringify(kept)),
      ),
    setTier: (_container, _name, tier) =>
      this.#do('vault.setTier', () => {
        this.vault = this.vault.map((blob) => ({ ...blob, archiveStatus: `rehydrate-pending-to-${tier}` }));
      }),
  };

  #targetAccount: Partial<BlobAccount> = {
    getProperties: () => this.#do('look', () => this.target && lowered(this.target)),
    listBlobs: () => this.#do('listBlobs', () => ({ blobs: this.target ? [this.target] : [], prefixes: [] })),
    snapshot: (_container, _name, ifMatch) =>
      this.#do('snapshot', () => {
        this.#mustBe({ ifMatch });
        this.snapshots.push(this.target!);
        return NOW;
      }),
    copySync: (request) => this.#do('copySync', () => ({ etag: this.#copy(request, 'success').etag })),
    startCopy: (request) =>
      this.#do('startCopy', () => {
        const { etag, copy } = this.#copy(request, this.startsAs);
        return { etag, copyId: copy!.id, status: copy!.status === 'success' ? 'success' : 'pending' } as const;
      }),
    copyBlocks: (request) =>
      this.#do('copyBlocks', () => {
        // A blob of no bytes is copied by the service after all.
        if (request.size === 0) return { etag: this.#copy(request, 'success').etag };
        const { copy: _, ...made } = this.#copy({ ...request, metadata: request.metadata ?? {} }, 'success');
        this.target = { ...made, metadata: request.metadata ?? {} };
        this.blocks = `${made.etag} of ${request.sourceIfMatch}`;
        return { etag: made.etag };
      }),
    isCopiedInBlocks: (_container, _name, { sourceIfMatch }) =>
      this.#do('isCopiedInBlocks', () => this.blocks === `${this.target?.etag} of ${sourceIfMatch}`),
    abortCopy: (_container, _name, id) =>
      this.#do('abortCopy', () => {
        const copy = this.target?.copy;
        if (copy?.status !== 'pending' || copy.id !== id) throw new StorageError('no-pending-copy', 'none', 409);
        this.target = { ...this.target!, size: 0, copy: { ...copy, status: 'aborted' } };
      }),
    setMetadata: (_container, _name, metadata, ifMatch) =>
      this.#do('setMetadata', () => {
        if (this.target?.tier === 'Archive') throw new StorageError('archived', 'nothing can be set on it', 409);
        this.#mustBe({ ifMatch });
        this.target = { ...this.target!, etag: this.#next(), metadata };
        return this.target.etag;
      }),
    setTier: (_container, _name, tier) =>
      this.#do('setTier', () => {
        this.target = { ...this.target!, tier };
      }),
    createContainer: () => this.#do('createContainer', () => 'exists' as const),
  };

  #mustBe(destination: CopyRequest['destination']): void {
    const met = destination === 'absent' ? this.target === undefined : this.target?.etag === destination.ifMatch;
    if (!met) throw new StorageError('precondition', 'not what was seen', 412);
  }

  #copy(request: CopyRequest, status: CopyState['status']): BlobState {
    const kept = JSON.parse(request.sourceUrl.slice(request.sourceUrl.indexOf('?') + 1));
    const from = this.vault.find((blob) => JSON.stringify(blob.snapshotOrVersion ?? {}) === JSON.stringify(kept));
    if (from === undefined) throw new StorageError('source-not-found', 'gone', 404);
    if (from.etag !== request.sourceIfMatch) throw new StorageError('precondition', 'source changed', 412);
    this.#mustBe(request.destination);
    if (this.target?.copy?.status === 'pending') throw new StorageError('pending-copy', 'pending', 409);
    const source = IN_BACKUP + ('snapshot' in kept ? `?snapshot=${kept.snapshot}` : '');
    const { snapshotOrVersion: _, metadata = {}, ...content } = from;
    const own = asHeaders(request.metadata ?? {});
    this.target = {
      ...content,
      etag: this.#next(),
      lastModified: this.now,
      size: status === 'success' ? content.size : 0,
      // Nothing sent, and an empty set, are the same to the service.
      metadata: Object.keys(own).length > 0 ? own : metadata,
      ...(request.tier !== undefined && { tier: request.tier }),
      ...(request.tags && { tags: request.tags, tagCount: Object.keys(request.tags).length }),
      copy: { id: `ours-${++this.#copies}`, status, source },
    };
    return this.target;
  }

  #next(): string {
    return `0xT${++this.#etag}`;
  }
}

/**
 * What is left of metadata that is sent: the signature of a request counts some characters in another way than the
 * service.
 */
function asHeaders(metadata: Record<string, string>): Record<string, string> {
  if (Object.values(metadata).some((value) => /[^ -~]/.test(value)))
    throw new StorageError('access-denied', 'refused', 403);
  const entries = Object.entries(metadata).map(([key, value]) => [key, value.trim()] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

/** As a look at a single blob shows it. */
function lowered({ tags: _, ...blob }: BlobState): BlobState {
  const metadata = Object.entries(blob.metadata ?? {}).map(([key, value]) => [key.toLowerCase(), value]);
  return { ...blob, metadata: Object.fromEntries(metadata) };
}

/** What is promised of any end: nothing is claimed that is not there, and nothing is lost without being asked. */
function judge(world: World, result: Outcome | PendingCopy, before: BlobState | undefined): void {
  if (isPending(result)) return;
  const { target, snapshots, task } = world;
  if (result.status === 'copied') {
    expect(target).toMatchObject({ size: ENTRY.size, contentMd5: ENTRY.md5, type: 'block' });
    expect(target?.copy?.status ?? 'success').toBe('success');
    expect(Object.keys(target?.metadata ?? {}).filter((key) => key.startsWith('strongroom_'))).toEqual([]);
  }
  if (before === undefined || target?.etag === before.etag) return;
  expect(['overwrite', 'if-different']).toContain(task.existing);
  expect(snapshots.map(({ etag }) => etag)).toContain(before.etag);
}

const KINDS: (StorageErrorKind | 'lost')[] = [
  ...(['not-found', 'container-not-found', 'precondition', 'access-denied', 'source-access-denied'] as const),
  ...(['source-not-found', 'archived', 'leased', 'pending-copy', 'no-pending-copy', 'type-differs'] as const),
  ...(['tier-not-supported', 'immutable', 'too-large', 'throttled', 'server', 'unreachable', 'invalid'] as const),
  ...(['unsupported', 'damaged', 'unknown', 'lost'] as const),
];
const OTHER = blobState({ etag: '0xT', contentMd5: 'CCCC', lastModified: WRITTEN });

describe('any failure of any request', () => {
  const REQUESTS = ['vault.listBlobs', 'look', 'snapshot', 'copySync', 'startCopy', 'copyBlocks', 'setMetadata'];
  const originals = { bare: ORIGINAL, rich: { ...ORIGINAL, metadata: { Author: 'Ada' }, tags: { a: '1' } } };
  const cases = KINDS.flatMap((kind) =>
    REQUESTS.flatMap((request) =>
      ([1, Number.POSITIVE_INFINITY] as const).flatMap((times) =>
        (['sync', 'async', 'blocks'] as const).flatMap((method) =>
          (['bare', 'rich'] as const).flatMap((which) =>
            ([undefined, OTHER] as const).map((target) => ({ kind, request, times, method, which, target })),
          ),
        ),
      ),
    ),
  );

  it('a restore reports no blob that is not there, and replaces none unasked', async () => {
    let struck = 0;
    for (const { kind, request, times, method, which, target } of cases) {
      for (const existing of ['fail', 'overwrite'] as const) {
        const world = new World([held(originals[which])], target, { existing });
        world.method = method;
        const { planned } = world;
        world.fault = (asked, call) => {
          if (asked !== request || call > times) return undefined;
          struck++;
          return kind;
        };
        const about = JSON.stringify({ kind, request, times, method, which, target, existing });
        const result = await restoreBlob(world.place, planned);
        try {
          judge(world, result, target);
        } catch (error) {
          throw new Error(`${about}: ${JSON.stringify(result)}`, { cause: error });
        }
      }
    }
    expect(struck).toBeGreaterThan(300);
  });

  it('a restore reports the result of requests whose answers are lost', async () => {
    for (const request of ['copySync', 'copyBlocks', 'setMetadata', 'snapshot']) {
      const world = new World([held()], OTHER, { existing: 'overwrite' });
      const { planned } = world;
      if (request === 'copyBlocks') world.method = 'blocks';
      world.fault = (asked, call) => (asked === request && call === 1 ? 'lost' : undefined);
      expect(await restoreBlob(world.place, planned), request).toMatchObject({ status: 'copied' });
      judge(world, { ...ENTRY }, OTHER);
      expect(world.asked.filter((each) => each.startsWith('copy'))).toHaveLength(1);
    }
  });
});

describe('our record', () => {
  it('the record is removed from a blob without metadata of its own', async () => {
    const world = new World([held()]);
    expect(await restoreBlob(world.place, world.planned)).toMatchObject({ status: 'copied' });
    expect(world.target?.metadata).toEqual({});
  });

  it('the record is removed from an empty blob, by any method', async () => {
    const entry = { ...ENTRY, size: 0 };
    const world = new World([held({ ...ORIGINAL, size: 0 })]);
    world.method = 'blocks';
    expect(await restoreBlob(world.place, { ...world.planned, entry })).toMatchObject({ status: 'copied' });
    expect(world.target?.metadata).toEqual({});
  });

  describe.each(['sync', 'async', 'blocks'] as const)('with the method %s', (method) => {
    const restoredWith = async (metadata: Record<string, string>) => {
      const world = new World([held()]);
      world.method = method;
      world.startsAs = method === 'async' ? 'pending' : 'success';
      const { planned } = world;
      const began = await restoreBlob(world.place, { ...planned, entry: { ...ENTRY, metadata } });
      if (!isPending(began)) return { world, result: began };
      world.target = { ...world.target!, size: ENTRY.size, copy: { ...world.target!.copy!, status: 'success' } };
      return { world, result: await confirmRestore(world.place, began) };
    };

    it('keys of the source that look like ours come back, if the restore point has them', async () => {
      const own = { strongroom_etag: 'forged', strongroom_run: 'x', hdi_isfolder: 'true' };
      const { world, result } = await restoredWith(own);
      expect(result).toMatchObject({ status: 'copied' });
      expect(result).not.toHaveProperty('code');
      expect(world.target?.metadata).toEqual(own);
    });

    it('metadata that no header can carry is named', async () => {
      const some = await restoredWith({ hdi_isfolder: 'true', Author: 'Zoë' });
      expect(some.result).toMatchObject({ status: 'copied', code: 'metadata-not-kept' });
      expect((some.result as Outcome).message).toContain('"Author"');
      expect(some.world.target?.metadata).toEqual({ hdi_isfolder: 'true' });
      const none = await restoredWith({ Author: 'Zoë' });
      expect(none.result).toMatchObject({ status: 'copied', code: 'metadata-not-kept' });
      expect(none.world.target?.metadata).toEqual({});
    });
  });

  it('a blob with such keys is recognized as ours when the answer to its copy is lost', async () => {
    const entry = { ...ENTRY, metadata: { strongroom_etag: 'forged', Author: 'Ada' } };
    const world = new World([held()]);
    const { planned } = world;
    world.fault = (asked, call) => (asked === 'copySync' && call === 1 ? 'lost' : undefined);
    expect(await restoreBlob(world.place, { ...planned, entry })).toMatchObject({ status: 'copied' });
    expect(world.target?.metadata).toEqual(entry.metadata);
    expect(world.asked.filter((each) => each === 'copySync')).toHaveLength(1);
  });

  it('a record that cannot be removed makes the blob a failure, and a retry removes it', async () => {
    const world = new World([held()]);
    const { planned } = world;
    world.fault = (asked) => (asked === 'setMetadata' ? 'access-denied' : undefined);
    const failed = await restoreBlob(world.place, planned);
    expect(failed).toMatchObject({ status: 'failed', code: 'access-denied-target' });
    expect((failed as Outcome).message).toContain('its own metadata');

    world.fault = () => undefined;
    world.run = { startedAt: '2026-05-02T12:00:00.000Z', retryOf: RUN.id };
    world.now = '2026-05-02T12:01:00.000Z';
    const again: PlannedItem = { from: { ...ORIGINAL, etag: '' }, reason: 'restore', entry: ENTRY };
    expect(await restoreBlob(world.place, again)).toMatchObject({ status: 'copied' });
    expect(world.target?.metadata).toEqual({});
    expect(world.asked.filter((each) => each === 'copySync')).toHaveLength(1);
  });

  it('the record is removed by the next execution after a crash between the two requests', async () => {
    const world = new World([held()]);
    const { planned } = world;
    world.fault = (asked) => (asked === 'setMetadata' ? 'aborted' : undefined);
    await expect(restoreBlob(world.place, planned)).rejects.toThrow();
    world.fault = () => undefined;
    expect(await restoreBlob(world.place, planned)).toMatchObject({ status: 'copied' });
    judge(world, { ...ENTRY }, undefined);
  });

  it('I7: the service copies metadata that cannot be sent, and nothing of it is removed', async () => {
    for (const metadata of [{ owner: 'grün' }, { empty: '' }, { a: ' b ' }]) {
      const world = new World([held({ ...ORIGINAL, metadata })]);
      expect(await restoreBlob(world.place, world.planned)).toMatchObject({ status: 'copied' });
      expect(world.target?.metadata).toEqual(metadata);
      expect(world.asked).toEqual(['copySync']);
    }
  });
});

describe('a blob at the target', () => {
  const THERE = { ...held(), metadata: {}, etag: '0xT', lastModified: NOW, copy: madeFrom(IN_BACKUP) };

  it('a target blob that was copied from other content of the backup blob is not ours, however new it is', async () => {
    // An earlier restore, minutes ago: what the backup container holds at this address now is another version.
    for (const existing of ['fail', 'skip', 'overwrite'] as const) {
      const world = new World([held()], { ...THERE, contentMd5: 'OLD' }, { existing });
      const result = await restoreBlob(world.place, world.planned);
      const wanted = { fail: 'failed', skip: 'skipped', overwrite: 'copied' }[existing];
      expect(result, existing).toMatchObject({ status: wanted });
      expect(world.snapshots).toHaveLength(existing === 'overwrite' ? 1 : 0);
    }
  });

  describe('without a copy state, and with all that the content would bring', () => {
    const { copy: _, ...MADE } = THERE;
    const restored = async (world: World) => {
      const { to: __, ...planned } = world.planned;
      return restoreBlob(world.place, planned);
    };

    it('a target blob is ours if its blocks name the content, and has to be new', async () => {
      const world = new World([held()], MADE);
      world.blocks = '0xT of 0xV1';
      expect(await restored(world)).toMatchObject({ status: 'copied' });
      expect(world.target).toBe(MADE);
      const old = new World([held()], { ...MADE, lastModified: '2026-05-01T20:00:00.000Z' });
      old.blocks = '0xT of 0xV1';
      expect(await restored(old)).toMatchObject({ code: 'target-exists' });
      expect(old.asked).not.toContain('isCopiedInBlocks');
    });

    it('a target blob is not ours if its blocks name another version', async () => {
      const other = new World([held()], MADE);
      other.blocks = '0xT of 0xV0';
      expect(await restored(other)).toMatchObject({ code: 'target-exists' });
    });

    it('a target blob is not ours if the plan has seen it, also when both sides are checked again', async () => {
      const seen = new World([held()], MADE, { existing: 'overwrite' });
      seen.blocks = '0xT of 0xV1';
      seen.fault = (method, call) => (method === 'copySync' && call === 1 ? 'precondition' : undefined);
      expect(await restoreBlob(seen.place, seen.planned)).toMatchObject({ status: 'copied' });
      expect(seen.snapshots).toEqual([MADE]);
      expect(seen.target?.etag).not.toBe(MADE.etag);
    });
  });

  it('a target blob without an MD5, as page blobs, is not ours either', async () => {
    const { contentMd5: _, ...original } = ORIGINAL;
    const { md5: __, ...entry } = ENTRY;
    const { contentMd5: ___, ...there } = THERE;
    const world = new World([held(original)], there, { existing: 'overwrite' });
    expect(await restoreBlob(world.place, { ...world.planned, entry })).toMatchObject({ status: 'copied' });
    expect(world.asked).toContain('copySync');
    // Not listed when the restore was planned, as where the order of listings is not known.
    const older = { ...there, lastModified: '2026-05-01T11:00:00.000Z' };
    const missed = new World([held(original)], older);
    missed.run = { startedAt: '2026-05-01T11:00:00.000Z' };
    const { to: ____, ...planned } = missed.planned;
    expect(await restoreBlob(missed.place, { ...planned, entry })).toMatchObject({ code: 'target-exists' });
  });

  it('I7: a target blob of another version with the same bytes, which the listing did not show, is not the wanted one', async () => {
    const original = { ...ORIGINAL, metadata: { Owner: 'x' } };
    const there = { ...THERE, metadata: { Owner: 'y' } };
    for (const existing of ['fail', 'if-different'] as const) {
      const world = new World([held(original)], there, { existing });
      const { to: _, ...planned } = world.planned;
      const result = await restoreBlob(world.place, planned);
      expect(result, existing).toMatchObject({ status: existing === 'fail' ? 'failed' : 'copied' });
      expect(world.target?.metadata).toEqual({ Owner: existing === 'fail' ? 'y' : 'x' });
      expect(world.snapshots).toEqual(existing === 'fail' ? [] : [there]);
    }
  });

  describe('I7: a target blob of the same version with the tags or tier of another restore point, which the listing did not show', () => {
    const restored = async (entry: Held, more: Partial<BlobState>, existing: RestoreTask['existing'] = 'fail') => {
      const world = new World([held()], { ...THERE, ...more }, { existing });
      const { to: _, ...planned } = world.planned;
      return { world, result: await restoreBlob(world.place, { ...planned, entry }) };
    };
    const tagged: Outcome = { ...ENTRY, tags: { kind: '1' } };

    it('a blob with other tags or another tier is not the wanted one', async () => {
      for (const tags of [{ kind: '2' }, { kind: '1', of: 'b' }]) {
        const more = { tags, tagCount: Object.keys(tags).length };
        expect((await restored(tagged, more)).result).toMatchObject({ code: 'target-exists' });
        expect((await restored(ENTRY, more)).result).toMatchObject({ code: 'target-exists' });
        const { world, result } = await restored(tagged, more, 'if-different');
        expect(result).toMatchObject({ status: 'copied', reason: 'replaced' });
        expect(world.target).toMatchObject({ tags: { kind: '1' } });
        expect(world.snapshots).toHaveLength(1);
      }
    });

    it('a blob without the right tags or tier is reported as incomplete', async () => {
      const same = await restored(tagged, { tags: { kind: '1' }, tagCount: 1 });
      expect(same.result).toMatchObject({ status: 'copied' });
      expect(same.result).not.toHaveProperty('code');
      expect((await restored(tagged, {})).result).toMatchObject({ status: 'copied', code: 'tags-not-written' });
      const cool = await restored({ ...ENTRY, tier: 'Cool' }, { tier: 'Hot' });
      expect(cool.result).toMatchObject({ status: 'copied', code: 'tier-not-kept' });
    });
  });

  it('an equal target blob of another writer is a failure, as the request asks', async () => {
    const world = new World([held()], THERE);
    expect(await restoreBlob(world.place, world.planned)).toMatchObject({ status: 'failed', code: 'target-exists' });
    expect(world.asked).toEqual([]);
    const later = new World([held()]);
    const { planned } = later;
    // Uploaded, not copied, between the look and the copy.
    const { copy: _, ...uploaded } = THERE;
    later.meanwhile = (method) => {
      if (method === 'copySync') later.target ??= uploaded;
    };
    expect(await restoreBlob(later.place, planned)).toMatchObject({ status: 'failed', code: 'target-exists' });
    expect(later.target).toEqual(uploaded);
  });

  it('a target blob stays a failure in a retry, which recognizes it by its trace', async () => {
    const world = new World([held()], THERE);
    const first = (await restoreBlob(world.place, world.planned)) as Failed;
    expect(first.source?.copy?.id).toBe('theirs');
    world.run = { ...world.run, retryOf: RUN.id };
    const again: PlannedItem = { from: { ...ORIGINAL, etag: '' }, reason: 'restore', entry: ENTRY };
    expect(await restoreBlob(world.place, { ...again, to: first.source! })).toMatchObject({
      status: 'failed',
      code: 'target-exists',
    });
    // Somebody has set its properties since: it is no less theirs.
    world.target = { ...world.target!, etag: '0xT9', metadata: { seen: 'yes' } };
    expect(await restoreBlob(world.place, { ...again, to: first.source! })).toMatchObject({
      status: 'failed',
      code: 'target-exists',
    });
  });

  it('a target blob that changes between check and copy is checked again, and gets a snapshot before it is replaced', async () => {
    const world = new World([held()], OTHER, { existing: 'overwrite' });
    const { planned } = world;
    const newer = blobState({ etag: '0xN', contentMd5: 'DDDD' });
    world.meanwhile = (method, call) => {
      if (method === 'copySync' && call === 1) world.target = newer;
    };
    expect(await restoreBlob(world.place, planned)).toMatchObject({ status: 'copied', reason: 'replaced' });
    expect(world.snapshots.map(({ etag }) => etag)).toEqual(['0xT', '0xN']);
  });

  it('a target blob that changes every time is a failure in the end', async () => {
    const world = new World([held()], OTHER, { existing: 'overwrite' });
    const { planned } = world;
    world.meanwhile = (method, call) => {
      if (method === 'copySync') world.target = blobState({ etag: `0xN${call}` });
    };
    expect(await restoreBlob(world.place, planned)).toMatchObject({ status: 'failed', code: 'target-changing' });
    expect(world.asked.filter((each) => each === 'copySync')).toHaveLength(4);
  });
});

describe('content in the vault', () => {
  const SNAPSHOT = { snapshot: '2026-05-02T00:01:00.5000000Z' };
  const newer = held({ ...ORIGINAL, etag: '0xS2', contentMd5: 'BBBB' }, { etag: '0xV2' });
  const toBeFound: PlannedItem = { from: { ...ORIGINAL, etag: '' }, reason: 'restore', entry: ENTRY };

  it('content that moved into a snapshot after the plan is restored from there', async () => {
    const world = new World([held()]);
    const { planned } = world;
    world.vault = [newer, held(ORIGINAL, { snapshotOrVersion: SNAPSHOT })];
    expect(await restoreBlob(world.place, planned)).toMatchObject({ status: 'copied' });
    expect(world.target).toMatchObject({
      contentMd5: 'AAAA',
      copy: { source: `${IN_BACKUP}?snapshot=${SNAPSHOT.snapshot}` },
    });
  });

  it('content that moved after its copy is recognized as ours, though the answer is lost', async () => {
    const world = new World([held()]);
    const { planned } = world;
    world.fault = (asked, call) => (asked === 'copySync' && call === 1 ? 'lost' : undefined);
    world.meanwhile = (method) => {
      if (method === 'vault.listBlobs') world.vault = [newer, held(ORIGINAL, { snapshotOrVersion: SNAPSHOT })];
    };
    expect(await restoreBlob(world.place, planned)).toMatchObject({ status: 'copied' });
    judge(world, { ...ENTRY }, undefined);
  });

  it.each(['fail', 'overwrite', 'if-different'] as const)(
    'I10: a copy that another writer makes meanwhile, from the same path in an account of their own, is not ours (%s)',
    async (existing) => {
      const world = new World([held()], undefined, { existing });
      const { planned } = world;
      const evil = { ...held(), etag: '0xE', lastModified: NOW, metadata: {} };
      world.meanwhile = (method, call) => {
        if (method === 'copySync' && call === 1) world.target = { ...evil, copy: madeFrom('evil/imagesbackup/a.txt') };
      };
      const result = await restoreBlob(world.place, planned);
      if (existing === 'fail') expect(result).toMatchObject({ status: 'failed', code: 'target-exists' });
      else expect(world.target?.copy).toMatchObject({ id: 'ours-1', source: IN_BACKUP });
    },
  );

  it('content that is gone or replaced is a failure by name', async () => {
    const gone = new World([held()]);
    const { planned } = gone;
    gone.vault = [];
    expect(await restoreBlob(gone.place, planned)).toMatchObject({ status: 'failed', code: 'content-missing' });
    const other = new World([held({ ...ORIGINAL, etag: '0xS2' }, { etag: '0xV2' })]);
    // A later copy of ours.
    expect(await restoreBlob(other.place, toBeFound)).toMatchObject({ status: 'failed', code: 'content-missing' });
    for (const metadata of [{}, held().metadata!]) {
      const overwritten = new World([held(ORIGINAL, { etag: '0xV2', size: 1, metadata })]);
      const mismatch = { status: 'failed', code: 'content-mismatch' };
      expect(await restoreBlob(overwritten.place, toBeFound)).toMatchObject(mismatch);
    }
    expect(other.asked).toEqual(['vault.listBlobs', 'look']);
  });

  it('content with another Content-MD5 is restored: the record and the length identify it', async () => {
    const stale = new World([held(ORIGINAL, { contentMd5: 'ZZZZ' })]);
    expect(await restoreBlob(stale.place, stale.planned)).toMatchObject({ status: 'copied' });
    expect(stale.target).toMatchObject({ contentMd5: 'ZZZZ' });
  });

  it('the blob that the restore point names comes before a blob with a forged record', async () => {
    const forged = held(ORIGINAL, { etag: '0xV2' });
    const world = new World([forged, held(ORIGINAL, { snapshotOrVersion: SNAPSHOT })]);
    expect(await restoreBlob(world.place, toBeFound)).toMatchObject({ status: 'copied' });
    expect(world.target?.copy?.source).toBe(`${IN_BACKUP}?snapshot=${SNAPSHOT.snapshot}`);
  });

  it.each(['source-not-found', 'source-access-denied', 'archived'] as const)(
    'content that cannot be copied (%s) is restored from the next blob that has it',
    async (kind) => {
      const world = new World([held(), held(ORIGINAL, { etag: '0xV2', snapshotOrVersion: SNAPSHOT })]);
      const { planned } = world;
      world.method = 'sync';
      world.fault = (asked, call) => (asked === 'copySync' && call === 1 ? kind : undefined);
      expect(await restoreBlob(world.place, planned)).toMatchObject({ status: 'copied' });
      expect(world.target?.copy?.source).toBe(`${IN_BACKUP}?snapshot=${SNAPSHOT.snapshot}`);
      expect(world.asked.filter((each) => each === 'copySync')).toHaveLength(2);
    },
  );

  it('archived content is a failure, or is rehydrated and waited for', async () => {
    const archived = held(ORIGINAL, { tier: 'Archive' });
    const plain = new World([archived]);
    expect(await restoreBlob(plain.place, plain.planned)).toMatchObject({ code: 'content-archived' });
    const world = new World([archived], undefined, { rehydrate: 'high' });
    const pending = (await restoreBlob(world.place, world.planned)) as PendingCopy;
    expect(pending).toMatchObject({ rehydrating: true, copyId: '', startedAt: NOW });
    world.now = '2026-05-02T10:00:00.000Z';
    expect(await confirmRestore(world.place, pending)).toBe(pending);
    world.now = '2026-05-04T12:00:00.000Z';
    expect(await confirmRestore(world.place, pending)).toMatchObject({ code: 'content-archived' });
    world.vault = [held()];
    expect(await confirmRestore(world.place, pending)).toMatchObject({ status: 'copied' });
    expect(world.asked.filter((each) => each === 'vault.setTier')).toHaveLength(1);
  });

  it('F25: content that was archived enters the archive tier last, as its record cannot be removed there', async () => {
    const entry: Outcome = { ...ENTRY, tier: 'Archive' };
    const world = new World([held()]);
    expect(await restoreBlob(world.place, { ...world.planned, entry })).toMatchObject({ status: 'copied' });
    expect(world.target).toMatchObject({ tier: 'Archive', metadata: {} });
    expect(world.asked).toEqual(['copySync', 'setMetadata', 'setTier']);
    // Executed again after a crash in between.
    const again = new World([held()]);
    await restoreBlob(again.place, again.planned);
    const planned = { ...again.planned, entry };
    delete planned.to;
    expect(await restoreBlob(again.place, planned)).toMatchObject({ status: 'copied' });
    expect(again.target).toMatchObject({ tier: 'Archive', metadata: {} });
    // With metadata of its own it takes one request.
    const own = new World([held({ ...ORIGINAL, metadata: { Author: 'Ada' } })]);
    expect(await restoreBlob(own.place, { ...own.planned, entry })).toMatchObject({ status: 'copied' });
    expect(own.asked).toEqual(['copySync']);
    expect(own.target).toMatchObject({ tier: 'Archive', metadata: { Author: 'Ada' } });
  });

  it('content that the vault refuses to list or rehydrate is not reported as a failure of the target', async () => {
    const listed = new World([held()]);
    listed.fault = (asked) => (asked === 'vault.listBlobs' ? 'access-denied' : undefined);
    const again: PlannedItem = { from: { ...ORIGINAL, etag: '' }, reason: 'restore', entry: ENTRY };
    expect(await restoreBlob(listed.place, again)).toMatchObject({ code: 'access-denied-vault' });
    const archived = new World([held(ORIGINAL, { tier: 'Archive' })], undefined, { rehydrate: 'standard' });
    archived.fault = (asked) => (asked === 'vault.setTier' ? 'access-denied' : undefined);
    expect(await restoreBlob(archived.place, archived.planned)).toMatchObject({ code: 'access-denied-vault' });
  });

  it('content whose address is too long for a copy source is reported as such', async () => {
    const name = 'x'.repeat(1024);
    const world = new World([{ ...held(), name }]);
    world.fault = (asked) => (asked === 'copySync' ? 'invalid' : undefined);
    const place = { ...world.place, targetPrefix: 'prefix/' };
    const planned = { ...world.planned, entry: { ...ENTRY, name } };
    expect(await restoreBlob(place, planned)).toMatchObject({ status: 'failed', code: 'unsupported-name' });
  });
});

describe('executed twice at the same time', () => {
  for (const method of ['sync', 'async', 'blocks'] as const) {
    for (const existing of ['fail', 'overwrite'] as const) {
      it(`${method}, ${existing}: two executions report one restored blob`, async () => {
        const before = existing === 'fail' ? undefined : OTHER;
        const world = new World([held()], before, { existing });
        world.method = method;
        const { planned } = world;
        const results = await Promise.all([restoreBlob(world.place, planned), restoreBlob(world.place, planned)]);
        for (const result of results) {
          expect(result).toMatchObject({ status: 'copied' });
          judge(world, result, before);
        }
      });
    }
  }

  it('a pending asynchronous copy is adopted, not started again', async () => {
    const world = new World([held()]);
    world.method = 'async';
    world.startsAs = 'pending';
    const { planned } = world;
    const results = await Promise.all([restoreBlob(world.place, planned), restoreBlob(world.place, planned)]);
    expect(results.map((result) => isPending(result) && result.copyId)).toEqual(['ours-1', 'ours-1']);
  });
});

describe('an asynchronous copy', () => {
  const started = async (existing: RestoreTask['existing'] = 'fail', before?: BlobState) => {
    const world = new World([held()], before, { existing });
    world.method = 'async';
    world.startsAs = 'pending';
    const pending = (await restoreBlob(world.place, world.planned)) as PendingCopy;
    expect(pending).toMatchObject({ copyId: 'ours-1', tries: 1 });
    return { world, pending };
  };
  const ends = (world: World, status: CopyState['status']) => {
    const { size } = status === 'success' ? held() : { size: 0 };
    world.target = { ...world.target!, size, copy: { ...world.target!.copy!, status } };
  };

  it('an asynchronous copy counts once it has succeeded, and then our record is removed', async () => {
    const { world, pending } = await started();
    expect(await confirmRestore(world.place, pending)).toBe(pending);
    ends(world, 'success');
    const result = await confirmRestore(world.place, pending);
    expect(result).toMatchObject({ status: 'copied', method: 'async' });
    judge(world, result as Outcome, undefined);
  });

  it('a failed asynchronous copy is started again, then made in blocks, and its leftovers are replaced', async () => {
    for (const existing of ['fail', 'skip', 'overwrite'] as const) {
      const { world, pending } = await started(existing);
      ends(world, 'failed');
      const second = (await confirmRestore(world.place, pending)) as PendingCopy;
      expect(second, existing).toMatchObject({ copyId: 'ours-2', tries: 2 });
      ends(world, 'aborted');
      expect(await confirmRestore(world.place, second)).toMatchObject({ status: 'copied', method: 'blocks' });
      expect(world.target?.metadata).toEqual({});
      expect(world.snapshots).toEqual([]);
    }
  });

  it('an asynchronous copy that failed as its source moved into a snapshot is made from there', async () => {
    const { world, pending } = await started();
    ends(world, 'failed');
    const kept = { snapshot: '2026-05-01T23:00:00.0000000Z' };
    world.vault = [held({ ...ORIGINAL, etag: '0xS2' }, { etag: '0xV2' }), held(ORIGINAL, { snapshotOrVersion: kept })];
    world.startsAs = 'success';
    expect(await confirmRestore(world.place, pending)).toMatchObject({ status: 'copied' });
    judge(world, { ...ENTRY }, undefined);
  });

  it('an asynchronous copy past its deadline is aborted by its id, and made in blocks in the end', async () => {
    const { world, pending } = await started();
    world.now = '2026-05-02T02:00:00.000Z';
    const second = (await confirmRestore(world.place, pending)) as PendingCopy;
    expect(second).toMatchObject({ copyId: 'ours-2', tries: 2 });
    world.now = '2026-05-02T04:00:00.000Z';
    expect(await confirmRestore(world.place, second)).toMatchObject({ status: 'copied', method: 'blocks' });
    expect(world.asked.filter((each) => each === 'abortCopy')).toHaveLength(2);
  });

  it('an asynchronous copy that another writer overwrote is a failure if nothing may be replaced', async () => {
    const { world, pending } = await started();
    world.target = blobState({ etag: '0xX', contentMd5: 'EEEE', copy: madeFrom('/other/blob') });
    expect(await confirmRestore(world.place, pending)).toMatchObject({ status: 'failed', code: 'target-exists' });
    expect(world.target?.etag).toBe('0xX');
  });

  it('an asynchronous copy whose record cannot be removed fails at once without the right, and later if the service is busy', async () => {
    const { world, pending } = await started();
    ends(world, 'success');
    world.fault = (asked) => (asked === 'setMetadata' ? 'throttled' : undefined);
    expect(await confirmRestore(world.place, pending)).toBe(pending);
    world.fault = (asked) => (asked === 'setMetadata' ? 'immutable' : undefined);
    expect(await confirmRestore(world.place, pending)).toMatchObject({
      status: 'failed',
      code: 'destination-immutable',
    });
  });

  it('an asynchronous copy of another writer is left alone, or aborted if it may be replaced', async () => {
    const foreign = { ...OTHER, size: 0, copy: madeFrom('/other/blob', { status: 'pending' }) };
    const left = new World([held()], foreign);
    expect(await restoreBlob(left.place, left.planned)).toMatchObject({ code: 'target-exists' });
    const world = new World([held()], foreign, { existing: 'overwrite' });
    expect(await restoreBlob(world.place, world.planned)).toMatchObject({ status: 'copied' });
    expect(world.asked).toContain('abortCopy');
    // From the backup container as well, but of a restore before this one.
    const earlier = new World([held()], {
      ...foreign,
      lastModified: NOW,
      copy: madeFrom(IN_BACKUP, { status: 'pending' }),
    });
    expect(await restoreBlob(earlier.place, earlier.planned)).toMatchObject({ code: 'target-exists' });
  });
});
