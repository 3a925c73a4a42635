import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { archiveUpload } from '#activities/archive/archive-upload.ts';
import { keepPoison } from '#activities/archive/keep-poison.ts';
import type { Poison } from '#domain/archive/poison.ts';
import { listPoisonHandler } from '#functions/archive/list-poison.ts';
import { listReceiptsHandler } from '#functions/archive/list-receipts.ts';
import { settlePoisonHandler } from '#functions/archive/settle-poison.ts';
import { getArchiveHandler } from '#functions/archive/show-archives.ts';
import type { Handler } from '#functions/http/answering.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { RULE, SOURCE } from '../../../../prove/archive/stage.ts';
import { ArchiveRoom } from '../../../support/builders/archive-room.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';

let room: ArchiveRoom;

beforeEach(() => {
  room = new ArchiveRoom();
});

const BY = { name: null, via: 'key' };
const etagOf = (name: string) => room.source.blob(SOURCE, name)!.etag;
const copies = () => room.vault.listBlobs(`${SOURCE}archive`, {}).blobs.map(({ name }) => name);
const store = () => new PoisonStore(new ControlStore(room.deps.blobs('VAULT')), RULE);

function refuseCopies(): void {
  room.before = ({ operation }) => {
    if (operation === 'CopyBlobFromURL') throw new StorageError('leased', 'a lease', 412);
  };
}

/** An upload that fails, and is kept as poison. */
async function fail(name: string, { isVersionNamed = true } = {}): Promise<Poison> {
  refuseCopies();
  const version = isVersionNamed ? { etag: etagOf(name) } : {};
  expect(await archiveUpload(room.deps, { rule: RULE, name, owner: 'event', ...version })).toMatchObject({
    is: 'failed',
  });
  await keepPoison(room.deps, { rule: RULE, name, ...version });
  room.before = () => {};
  const { entries } = await store().list('open');
  return (await store().read(entries[0]!.id))!;
}

async function call(
  make: (deps: typeof room.deps) => Handler,
  { id = '', query = {}, body = '' }: { id?: string; query?: Record<string, string>; body?: unknown } = {},
) {
  const params = { rule: RULE, id };
  const method = body === '' ? 'GET' : 'POST';
  const request = httpRequest({ params, query, body, method, headers: { 'x-functions-key': 'x' } });
  const answer = await make(room.deps)(request, {} as DurableClient, {} as InvocationContext);
  return { status: answer.status, body: JSON.parse(answer.body as string) };
}

const settle = (id: string, reason = 'a test file') => call(settlePoisonHandler, { id, body: { reason } });

test('an upload that is settled is closed, not archived by anything, and listed with who settled it and why', async () => {
  room.put('a');
  const { id } = await fail('a');
  room.clock += 1_000;
  const at = new Date(room.clock).toISOString();
  const settlement = { at, reason: 'a test file', by: BY };
  expect(await settle(id)).toEqual({
    status: 200,
    body: { rule: RULE, id, code: 'destination-leased', settledAt: at, settlement },
  });
  expect((await call(listPoisonHandler)).body.uploads).toEqual([]);
  expect((await call(listPoisonHandler, { query: { state: 'settled' } })).body.uploads).toMatchObject([
    { id, name: 'a', state: 'settled', code: 'destination-leased', settledAt: at, settlement },
  ]);
  const receipts = (query: Record<string, string>) => call(listReceiptsHandler, { query });
  expect((await receipts({ state: 'settled' })).body.receipts).toMatchObject([{ name: 'a', state: 'settled', at }]);
  expect((await receipts({ state: 'failed' })).body.receipts).toEqual([]);
  // It still says why it failed.
  expect((await receipts({ name: 'a' })).body.receipts).toMatchObject([
    { state: 'settled', settlement, problem: { code: 'destination-leased' } },
  ]);
  expect((await call(getArchiveHandler)).body).toMatchObject({
    receipts: { settled: 1, failed: 0 },
    poison: { open: 0 },
  });
  expect(await store().countOpen()).toBe(0);

  // A reconciliation, an event that comes again, and its poison message.
  expect(await room.reconcile()).toMatchObject({
    status: 'succeeded',
    counts: { listed: 1, copied: 0, skipped: 1, failed: 0 },
    problems: [{ code: 'settled-by-operator', count: 1 }],
  });
  const again = { rule: RULE, name: 'a', owner: 'event', etag: etagOf('a') };
  expect(await archiveUpload(room.deps, again)).toEqual({ is: 'skipped', code: 'settled-by-operator' });
  await keepPoison(room.deps, again);
  expect(await store().countOpen()).toBe(0);
  expect(room.vault.listContainers(undefined).names).not.toContain(`${SOURCE}archive`);
  // The first decision stays.
  expect((await settle(id, 'another reason')).body.settlement).toEqual(settlement);
});

test('another version of the upload is archived, and the settled one stays settled while it is there', async () => {
  room.put('a', 'bad');
  const { id } = await fail('a');
  await settle(id);
  room.put('a', 'good');
  expect(await room.reconcile()).toMatchObject({ status: 'succeeded', counts: { copied: 1 } });
  expect(copies()).toEqual(['a']);
  expect(
    room
      .receiptsOf()
      .map(({ state }) => state)
      .sort(),
  ).toEqual(['done', 'settled']);
});

test('the receipt of a settled version that is gone is kept as long as others', async () => {
  room = new ArchiveRoom({ keepDays: 1 });
  room.put('a', 'bad');
  await settle((await fail('a')).id);
  room.put('a', 'good');
  await room.reconcile();
  expect(room.receipts()).toHaveLength(2);
  room.clock += 2 * 24 * 3_600_000;
  await room.reconcile();
  expect(room.receiptsOf()).toMatchObject([{ state: 'done' }]);
});

test('what is settled of an event without a version is the version that is there', async () => {
  room.put('a');
  const { id } = await fail('a', { isVersionNamed: false });
  expect((await settle(id)).status).toBe(200);
  expect(await room.reconcile()).toMatchObject({ counts: { skipped: 1, copied: 0 } });
  // A later version that fails opens it again.
  room.put('a', 'next');
  const reopened = await fail('a', { isVersionNamed: false });
  expect(reopened).toMatchObject({ id, state: 'open', times: 1 });
  expect(reopened).not.toHaveProperty('settlement');
});

test('an upload that is gone from the source is settled without a receipt', async () => {
  room.put('a');
  const { id } = await fail('a', { isVersionNamed: false });
  for (const path of room.receipts()) room.vault.remove('strongroom', path);
  room.source.remove(SOURCE, 'a');
  expect((await settle(id)).status).toBe(200);
  expect(room.receipts()).toEqual([]);
  expect(await store().countOpen()).toBe(0);
});

test('what an event has archived meanwhile is closed, and no one has settled that it is not archived', async () => {
  room.put('a');
  const { id } = await fail('a');
  const again = { rule: RULE, name: 'a', owner: 'again', etag: etagOf('a') };
  expect(await archiveUpload(room.deps, again)).toMatchObject({ is: 'archived' });
  const settledAt = new Date(room.clock).toISOString();
  expect(await settle(id)).toMatchObject({ status: 200, body: { id, settledAt, settlement: null } });
  expect(room.receiptsOf()).toMatchObject([{ state: 'done' }]);
  const entry = await store().read(id);
  expect(entry).toMatchObject({ state: 'settled', settledAt });
  expect(entry).not.toHaveProperty('settlement');
});

test('an upload with a receipt is settled also if the source refuses every request', async () => {
  room.put('a');
  const { id } = await fail('a');
  room.before = ({ account }) => {
    if (account === 'SOURCE') throw new StorageError('access-denied', 'no', 403, 'AuthorizationPermissionMismatch');
  };
  expect((await settle(id)).status).toBe(200);
  expect(room.receiptsOf()).toMatchObject([{ state: 'settled' }]);
});

describe('a call is refused', () => {
  it('for what is not there, and for what a run has archived', async () => {
    expect(await settle('0'.repeat(32))).toMatchObject({ status: 404, body: { code: 'poison-not-found' } });
    expect(await settle('../x')).toMatchObject({ status: 404, body: { code: 'poison-not-found' } });
    room.put('a');
    const { id } = await fail('a');
    expect(await room.reconcile()).toMatchObject({ counts: { copied: 1 } });
    expect(await settle(id)).toMatchObject({ status: 404, body: { code: 'poison-not-found' } });
    expect(room.receiptsOf()).toMatchObject([{ state: 'done' }]);
  });

  it('without a reason that can be read', async () => {
    room.put('a');
    const { id } = await fail('a');
    expect(await settle(id, ' ')).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
  });

  it('if the upload failed again meanwhile, perhaps with another version', async () => {
    room.put('a');
    const { id } = await fail('a');
    let isAgain = false;
    room.before = async ({ operation, name = '' }) => {
      if (isAgain || operation !== 'PutBlob' || !name.includes('/receipts/')) return;
      isAgain = true;
      room.clock += 1_000;
      await keepPoison(room.deps, { rule: RULE, name: 'a', etag: etagOf('a') });
    };
    expect(await settle(id)).toMatchObject({ status: 409, body: { code: 'being-archived' } });
    expect(isAgain).toBe(true);
    expect(await store().countOpen()).toBe(1);
  });

  it('while another owner is archiving the version', async () => {
    room.put('a');
    const { id } = await fail('a');
    const receipts = room.receiptsOf();
    const until = new Date(room.clock + 60_000).toISOString();
    const claimedAt = new Date(room.clock).toISOString();
    const claimed = { ...receipts[0]!, state: 'claimed', owner: 'other', claimedAt, expiresAt: until };
    room.vault.write('strongroom', { name: room.receipts()[0]!, body: Buffer.from(JSON.stringify(claimed)) });
    expect(await settle(id)).toMatchObject({ status: 409, body: { code: 'being-archived' } });
    expect(await store().countOpen()).toBe(1);
    room.clock += 61_000;
    expect((await settle(id)).status).toBe(200);
  });
});

test('an owner that fails after an upload was settled leaves it settled, and one that succeeds says so', async () => {
  for (const isRefused of [true, false]) {
    room = new ArchiveRoom();
    room.put('a');
    const { id } = await fail('a');
    // It was settled by someone who did not see the claim: the claim had expired.
    let isSettled = false;
    room.before = async ({ operation }) => {
      if (operation !== 'CopyBlobFromURL' || isSettled) return;
      isSettled = true;
      room.clock += 700_000;
      expect((await settle(id)).status).toBe(200);
      if (isRefused) throw new StorageError('leased', 'a lease', 412);
    };
    await archiveUpload(room.deps, { rule: RULE, name: 'a', owner: 'event', etag: etagOf('a') });
    expect(isSettled).toBe(true);
    expect(room.receiptsOf()).toMatchObject([{ state: isRefused ? 'settled' : 'done' }]);
  }
});

describe('after a crash at any write', () => {
  it.each([1, 2].flatMap((at) => ['before', 'after'].map((when) => [at, when] as const)))(
    'the call is completed by another one, or by a reconciliation (write %i, %s it)',
    async (at, when) => {
      for (const completes of ['call', 'reconcile']) {
        room = new ArchiveRoom();
        room.put('a');
        const { id } = await fail('a');
        let writes = 0;
        room.before = ({ writes: isWrite }) => {
          if (isWrite && ++writes === at + (when === 'after' ? 1 : 0)) throw new Error('the process ended');
        };
        await settle(id).catch(() => {});
        expect(writes).toBeGreaterThan(0);
        room.before = () => {};
        room.clock += 1_000;
        if (completes === 'call') expect((await settle(id)).status).toBe(200);
        const { counts } = await room.reconcile();
        const isLost = completes === 'reconcile' && at === 1 && when === 'before';
        expect(counts).toMatchObject(isLost ? { copied: 1 } : { copied: 0, skipped: 1 });
        expect(await store().countOpen()).toBe(0);
        // The receipt and the entry say the same.
        const { settlement } = (await store().read(id))!;
        expect(settlement?.reason).toBe(isLost ? undefined : 'a test file');
        expect(settlement).toEqual(room.receiptsOf()[0]!.settlement);
      }
    },
  );
});
