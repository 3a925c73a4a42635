import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byPathSegment, byUtf16, type Comparator } from '#domain/blobs/name-order.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { StorageError } from '#storage/storage-error.ts';
import { RULE, SOURCE } from '../../../../prove/archive/stage.ts';
import { ArchiveRoom as Room } from '../../../support/builders/archive-room.ts';

const names = fc.uniqueArray(
  fc
    .oneof(
      fc.array(fc.constantFrom('a', 'b', '-', '.', '/', '~', 'ä', '\u{1f600}', '\uffee'), {
        minLength: 1,
        maxLength: 6,
      }),
      fc.array(fc.constantFrom('a/', 'a-', 'a'), { minLength: 1, maxLength: 5 }),
    )
    .map((parts) => parts.join(''))
    .filter((name) => !/^\/|\/\/|\/$|(?:^|\/)\.|\.$/.test(name)),
  { minLength: 1, maxLength: 40 },
);

describe('a reconciliation', () => {
  it('a reconciliation leaves out what has changed too recently for its rule, unless it is sealed', async () => {
    const room = new Room({ quietMinutes: 90 });
    for (const name of ['one', 'sealed']) room.put(name);
    room.source.blob(SOURCE, 'sealed')!.sealed = true;
    const counts = async () => {
      const { status, counts: found } = await room.reconcile();
      return [status, found.copied, found.unchanged, found.skipped];
    };
    expect(await counts()).toEqual(['succeeded', 1, 0, 1]);
    room.put('two');
    expect(await counts()).toEqual(['succeeded', 1, 1, 1]);
    // Each reconciliation is an hour after the one before.
    room.put('one', 'grown');
    expect(await counts()).toEqual(['succeeded', 1, 1, 1]);
    expect(await counts()).toEqual(['succeeded', 1, 2, 0]);
    expect(room.receiptsOf().map(({ source }) => source.name)).toHaveLength(4);
  });

  it('a first reconciliation archives everything once, whatever the order and pages of the listings; a second one nothing', async () => {
    const order = fc.constantFrom<Comparator>(byUtf16, byPathSegment);
    await fc.assert(
      fc.asyncProperty(
        names,
        order,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 3, max: 50 }),
        async (all, compare, page, slice) => {
          const room = new Room({ compare, page: (limit) => Math.min(limit, page), limits: { sliceBlobs: slice } });
          for (const name of all) room.put(name);
          const first = await room.reconcile();
          expect(first).toMatchObject({ status: 'succeeded', counts: { listed: all.length, copied: all.length } });
          room.take();
          const second = await room.reconcile();
          expect(second).toMatchObject({
            status: 'succeeded',
            counts: { listed: all.length, copied: 0, unchanged: all.length },
          });
          expect(room.take('CopyBlobFromURL')).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a reconciliation sends no request per blob to find that everything is archived', async () => {
    const room = new Room();
    for (let index = 0; index < 500; index++) room.put(`2026/${index % 30}/file ${index}`);
    await room.reconcile();
    room.take();
    await room.reconcile();
    expect(room.take()).toBeLessThan(25);
  });

  it('a reconciliation sends three requests for each upload without an event: claim, copy, done', async () => {
    const room = new Room();
    for (let index = 0; index < 500; index++) room.put(`file ${index}`);
    await room.reconcile();
    // Five chunks of a hundred, each with its plan, its part, and a look at the lock.
    expect(room.take()).toBeLessThan(3 * 500 + 60);
  });

  it('I10: a reconciliation overwrites the blob of another tool, whatever its MD5', async () => {
    const room = new Room();
    room.vault.createContainer(`${SOURCE}archive`);
    const headers = { contentMd5: 'bWQ1IG9mIGl0' };
    room.put('other', 'as it is');
    room.source.write(SOURCE, { name: 'same', body: Buffer.from('as it is'), headers });
    // The younger ones, as far as times can tell.
    room.clock += 86_400_000;
    room.vault.write(`${SOURCE}archive`, { name: 'other', body: Buffer.from('as it wa') });
    room.vault.write(`${SOURCE}archive`, { name: 'same', body: Buffer.from('as it is'), headers });
    const { counts } = await room.reconcile();
    expect(counts).toMatchObject({ listed: 2, copied: 2, unchanged: 0 });
    expect(String(room.vault.blob(`${SOURCE}archive`, 'other')!.body)).toBe('as it is');
  });

  it('a reconciliation names the uploads it archived, and counts those archived before', async () => {
    const room = new Room();
    room.put('a');
    await room.reconcile();
    room.put('b');
    const { parts } = await room.reconcile();
    expect(parts.reduce((sum, { unchanged }) => sum + unchanged, 0)).toBe(1);
    expect(parts.reduce((sum, { copied }) => sum + copied, 0)).toBe(1);
  });
});

describe('I10: what a writer to the source forges', () => {
  it('a version that was never archived gets no receipt that says so, whatever record a later version forges', async () => {
    const room = new Room();
    room.put('note', 'TRUE TEXT');
    const { etag } = room.source.blob(SOURCE, 'note')!;
    room.before = ({ operation }) => {
      if (operation === 'CopyBlobFromURL') throw new StorageError('leased', 'no', 412);
    };
    expect((await room.reconcile()).counts).toMatchObject({ failed: 1 });
    room.before = () => {};
    const forged = { strongroom_etag: etag, strongroom_modified: 'x', strongroom_run: `${RULE}-event-x` };
    const metadata = { ...forged, p: 'p'.repeat(8192 - Object.entries(forged).flat().join('').length - 1) };
    room.source.write(SOURCE, { name: 'note', body: Buffer.from('FAKE TEXT'), metadata });
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
    const states = room.receiptsOf().map(({ source, state }) => [source.etag === etag ? 'first' : 'second', state]);
    expect(Object.fromEntries(states)).toEqual({ first: 'missed', second: 'done' });
    // All that the copy cannot carry is in the receipt.
    expect(room.receiptsOf().find(({ state }) => state === 'done')?.source.metadata).toEqual(metadata);
  });

  it('a blob that its writer marks as a directory is archived', async () => {
    const room = new Room();
    room.source.write(SOURCE, { name: 'hidden.txt', body: Buffer.from('text'), metadata: { hdi_isfolder: 'true' } });
    room.source.write(SOURCE, { name: 'folder', isDirectory: true });
    expect((await room.reconcile()).counts).toMatchObject({ listed: 2, copied: 1, skipped: 1 });
    const copy = room.vault.blob(`${SOURCE}archive`, 'hidden.txt')!;
    expect(String(copy.body)).toBe('text');
    expect(copy.metadata).not.toHaveProperty('hdi_isfolder');
    const [receipt] = room.receiptsOf();
    expect(receipt).toMatchObject({ state: 'done', source: { metadata: { hdi_isfolder: 'true' } } });
  });
});

describe('receipts past their retention time', () => {
  const DAYS = 86_400_000;

  it.each([
    ['deletes all but the summary of old runs of its rule', 10, true],
    ['of a rule without receipts.keepDays leaves old runs as they are', undefined, false],
  ])('a reconciliation %s', async (_, keepDays, isCleared) => {
    const room = new Room({ ...(keepDays !== undefined && { keepDays }) });
    room.put('a');
    const old = await room.reconcile();
    const left = ({ id }: RunSummary) =>
      room.vault.listBlobs('strongroom', { prefix: `jobs/${RULE}/runs/${id}/` }).blobs.map(({ name }) => name);
    room.clock += 89 * 86_400_000;
    const young = await room.reconcile();
    const before = left(young);
    expect(left(old).length).toBeGreaterThan(3);
    room.clock += 2 * 86_400_000;
    await room.reconcile();
    expect(left(old).length === 1).toBe(isCleared);
    expect(left(old)).toContain(`jobs/${RULE}/runs/${old.id}/run.json`);
    expect(left(young)).toEqual(before);
  });

  it('receipts of versions that are gone or replaced are deleted; others stay', async () => {
    const room = new Room({ keepDays: 10 });
    for (const name of ['gone', 'overwritten', 'there']) room.put(name);
    await room.reconcile();
    room.source.remove(SOURCE, 'gone');
    room.put('overwritten', 'again');
    room.clock += 9 * DAYS;
    await room.reconcile();
    expect(room.receipts()).toHaveLength(4);
    room.clock += 2 * DAYS;
    await room.reconcile();
    // Of "there", as old as the others, and of the version that took the place of another.
    expect(room.receipts()).toHaveLength(2);
    expect(await room.reconcile()).toMatchObject({ status: 'succeeded', counts: { copied: 0, unchanged: 2 } });
  });

  it('F10: a receipt stays if the listing omits a blob that exists', async () => {
    const room = new Room({ keepDays: 10 });
    for (const name of ['a', 'b', 'c']) room.put(name);
    await room.reconcile();
    room.clock += 20 * DAYS;
    const list = room.source.listBlobs.bind(room.source);
    room.source.listBlobs = (container, options) =>
      container === SOURCE ? { blobs: [], prefixes: [] } : list(container, options);
    await room.reconcile();
    expect(room.receipts()).toHaveLength(3);
  });

  it('F10: a receipt stays if the source cannot be read', async () => {
    const room = new Room({ keepDays: 10 });
    room.put('gone');
    await room.reconcile();
    room.source.remove(SOURCE, 'gone');
    room.clock += 20 * DAYS;
    room.before = ({ operation, name }) => {
      if (operation === 'GetBlobProperties' && name === 'gone') throw new StorageError('access-denied', 'no', 403);
    };
    await expect(room.reconcile()).rejects.toThrow();
    room.before = () => {};
    expect(room.receipts()).toHaveLength(1);
  });

  it('a run without the right to delete keeps the receipts and reports it', async () => {
    const room = new Room({ keepDays: 10 });
    room.put('gone');
    await room.reconcile();
    room.source.remove(SOURCE, 'gone');
    room.clock += 20 * DAYS;
    room.before = ({ operation }) => {
      if (operation === 'DeleteBlob') throw new StorageError('access-denied', 'no', 403);
    };
    await expect(room.reconcile()).rejects.toThrow('access-denied-prune');
    expect(room.receipts()).toHaveLength(1);
  });

  it('all receipts stay if the rule sets no retention time', async () => {
    const room = new Room();
    room.put('gone');
    await room.reconcile();
    room.source.remove(SOURCE, 'gone');
    room.clock += 4_000 * DAYS;
    await room.reconcile();
    expect(room.receipts()).toHaveLength(1);
  });
});
