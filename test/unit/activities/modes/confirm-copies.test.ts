import pLimit from 'p-limit';
import { describe, expect, it } from 'vitest';
import { confirmCopies } from '#activities/modes/confirm-copies.ts';
import type { ChunkResult, PendingFile } from '#activities/run/chunk.ts';
import { inRun } from '#activities/run/run-context.ts';
import { stillPending, writePiece } from '#activities/run/write-piece.ts';
import type { Dependencies } from '#app/dependencies.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { recordOf, withRecord } from '#domain/copying/record.ts';
import { chunkKey, laterKey, lockPath, partPath } from '#domain/run/control-paths.ts';
import type { Outcome, PendingCopy } from '#domain/run/outcome.ts';
import type { BlobAccount, StoredObject } from '#storage/blob-account.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { blobState } from '../../../support/builders/blob-state.ts';
import { RUN } from '../../../support/builders/run-ref.ts';
import { storedObject } from '../../../support/builders/stored-object.ts';

const NOW = new Date('2026-05-02T00:00:00.000Z');
const KEY = chunkKey(0, 0, 0);
const HUGE = 2 ** 30;

/** Confirms one blob's copy again and again, as the orchestration does, and tells what came of it. */
async function rounds(
  source: BlobState,
  backupOf: (copyId: string) => BlobState,
  most = 10,
  more: object = {},
  startedAt = NOW.toISOString(),
) {
  const objects = new Map<string, StoredObject>();
  let started = 1;
  const vault = {
    alias: 'VAULT',
    listBlobs: async () => ({ blobs: [], prefixes: [] }),
    getObject: async (_container: string, name: string) => objects.get(name),
    appendObject: async () => {},
    putObject: async (_container: string, name: string, body: Uint8Array, options: { expect?: unknown }) => {
      if (options.expect === 'absent' && objects.has(name)) throw new StorageError('precondition', 'It is there');
      objects.set(name, storedObject(body));
      return { etag: '0x1' };
    },
    getProperties: async () => backupOf(`copy-${started}`),
    snapshot: async () => 'then',
    abortCopy: async () => {},
    startCopy: async () => ({ etag: '0xN', copyId: `copy-${++started}`, status: 'pending' as const }),
    copyBlocks: async () => ({ etag: '0xB' }),
  } as unknown as BlobAccount;
  const access = { urlOf: (name: string) => `https://source/${name}` };
  const account = { readAccess: async () => access } as unknown as BlobAccount;
  const job = {
    name: 'nightly',
    method: 'auto',
    source: { account: 'SOURCE' },
    destination: { account: 'VAULT', prefix: '' },
  };
  const deps = {
    configuration: { jobs: [job], archives: [] },
    limits: { copyDeadlineMs: 3_600_000, silentMs: 600_000 },
    copySlots: pLimit(4),
    blobs: (alias: string) => (alias === 'VAULT' ? vault : account),
    catalog: () => undefined,
    now: () => NOW,
    random: () => 'aaaaaa',
  } as unknown as Dependencies;
  const control = new ControlStore(vault);
  const lock = { job: 'nightly', epoch: 1, run: RUN, since: RUN.startedAt, cancel: false };
  await control.writeJson(lockPath('nightly'), lock, 'absent');

  const copy: PendingCopy = {
    planned: { from: source, reason: 'new' },
    copyId: 'copy-1',
    startedAt,
    tries: 1,
  };
  const task = { run: RUN, container: 'images', destination: 'imagesbackup' };
  const piece: ChunkResult = await inRun(deps, task, (context) => writePiece(context, KEY, [copy], {}));
  let work: PendingFile | undefined = piece.pendingFile;
  for (let round = 0; work && round < most; round++) {
    work = (await confirmCopies(deps, { ...task, pendingFile: { ...work, ...more } })).pendingFile;
  }
  const files = [...objects.keys()];
  if (work) return { started, work, files };
  const { items } = await control.readPart<Outcome, object>(partPath(RUN, 'chunk', 'images', laterKey(KEY)));
  return { started, outcome: items[0]!, files };
}

describe('a pending file', () => {
  const copy: PendingCopy = { planned: { from: blobState(), reason: 'new' }, copyId: 'c', startedAt: '', tries: 1 };
  const content: PendingCopy = { ...copy, copyId: '', rehydrating: true };

  it.each([
    ['only such content', [content, content], { pending: 2, rehydrating: true }],
    ['such content and a copy', [content, copy], { pending: 2 }],
    ['a copy', [copy], { pending: 1 }],
  ])('says whether it only waits for content that is being rehydrated: %s', (_, items, still) => {
    expect(stillPending(items)).toEqual(still);
  });
});

describe('confirming copies', () => {
  const failing = (copyId: string) =>
    blobState({ etag: '0xF', size: 0, copy: { id: copyId, status: 'failed', description: '403 refused' } });
  const someoneElses = () =>
    blobState({ etag: '0xE', size: 5, type: 'page', copy: { id: 'another', status: 'success' } });

  it('F9: a copy that fails twice is made in blocks', async () => {
    const { started, outcome } = await rounds(blobState({ size: HUGE }), failing);
    expect(outcome).toMatchObject({ status: 'copied', method: 'blocks' });
    expect(started).toBe(2);
  });

  // Blocks take no metadata along that headers cannot say, such as an empty value.
  it('I4: a copy that cannot be made in blocks is not started without end', async () => {
    const { started, outcome } = await rounds(blobState({ size: HUGE, metadata: { note: '' } }), failing);
    expect(outcome).toMatchObject({ status: 'failed', code: 'copy-failed', message: '403 refused' });
    expect(started).toBe(2);
  });

  it('I10: a copy that should have a record is not done without it; one that the service gave its metadata is', async () => {
    const without = (copyId: string) => blobState({ etag: '0xE', size: HUGE, copy: { id: copyId, status: 'success' } });
    const { outcome } = await rounds(blobState({ size: HUGE }), without);
    expect(outcome).toMatchObject({ status: 'copied', method: 'blocks' });
    const byService = await rounds(blobState({ size: HUGE, metadata: { note: '' } }), without);
    expect(byService.outcome).toMatchObject({ status: 'copied', method: 'async' });
  });

  it('I4: a copy that ignores its abort fails permanently, long after its deadline', async () => {
    const deaf = (copyId: string) => blobState({ size: 5, copy: { id: copyId, status: 'pending' } });
    const hoursAgo = (hours: number) => new Date(NOW.getTime() - hours * 3_600_000).toISOString();
    expect((await rounds(blobState({ size: 5 }), deaf, 3, {}, hoursAgo(1.5))).outcome).toBeUndefined();
    const { outcome } = await rounds(blobState({ size: 5 }), deaf, 3, {}, hoursAgo(2.5));
    expect(outcome).toMatchObject({ status: 'failed', code: 'copy-stuck' });
  });

  it('a round without changes writes nothing, and its requests are counted with the next change', async () => {
    let looks = 0;
    const pendingTwice = (copyId: string) =>
      blobState({
        etag: '0xE',
        size: HUGE,
        metadata: withRecord({}, recordOf(blobState(), RUN.id))!,
        copy: { id: copyId, status: ++looks < 3 ? 'pending' : 'success' },
      });
    const { outcome, files } = await rounds(blobState({ size: HUGE }), pendingTwice);
    expect(outcome).toMatchObject({ status: 'copied', method: 'async' });
    expect(looks).toBe(3);
    expect(files.filter((name) => name.includes('/pending/'))).toHaveLength(1);
  });

  it('a successful round clears the failure of the round before', async () => {
    const stillPending = (copyId: string) => blobState({ size: HUGE, copy: { id: copyId, status: 'pending' } });
    const { work } = await rounds(blobState({ size: HUGE }), stillPending, 1, { failures: 2 });
    expect(work).not.toHaveProperty('failures');
  });

  it('I4: a backup blob that another writer changes every time ends as a failure with this reason', async () => {
    const { outcome } = await rounds(blobState({ size: HUGE, type: 'page' }), someoneElses);
    expect(outcome).toMatchObject({ status: 'failed', code: 'destination-changing' });
  });
});
