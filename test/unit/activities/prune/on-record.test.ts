import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it, test } from 'vitest';
import {
  CONTROL_CONTAINER,
  chainPath,
  lockPath,
  notesPath,
  runPrefix,
  summaryPath,
} from '#domain/run/control-paths.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { choosePoint } from '#functions/restore-points/choose-restore-point.ts';
import { forgetHandler } from '#functions/restore-points/forget-restore-point.ts';
import { getRestorePointHandler } from '#functions/restore-points/get-restore-point.ts';
import { listRestorePointsHandler } from '#functions/restore-points/list-restore-points.ts';
import { holdHandler, releaseHandler, unholdHandler } from '#functions/restore-points/note-restore-point.ts';
import { cancelRunHandler } from '#functions/run/cancel-run.ts';
import { getRunHandler } from '#functions/run/get-run.ts';
import { listOutcomesHandler } from '#functions/run/list-outcomes.ts';
import { retryRunHandler } from '#functions/run/retry-run.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

type Handler = typeof holdHandler;

const client = {} as unknown as DurableClient;
const nameOf = (id: string) => ({ job: 'nightly', id });

async function ask(vault: Vault, handler: Handler, id = '', body: object = {}) {
  const request = httpRequest({ params: { id }, body });
  const context = { functionName: 'f' } as InvocationContext;
  const answer = await handler(vault.deps())(request, client, context);
  return { status: answer.status, body: JSON.parse(String(answer.body)) };
}

async function backedUp(blobs = 8): Promise<Vault> {
  const vault = new Vault();
  for (let i = 0; i < blobs; i++) vault.put(`b${i}`, `content ${i}`);
  return vault;
}

/** A held restore point with content that only it needs, and a later one. */
async function heldAndLater(): Promise<{ vault: Vault; held: RunSummary; later: RunSummary }> {
  const vault = await backedUp();
  const held = await vault.backup();
  expect(await ask(vault, holdHandler, held.id, { reason: 'audit' })).toMatchObject({ status: 200 });
  vault.source.remove('data', 'b7');
  vault.put('b0', 'changed');
  return { vault, held, later: await vault.backup() };
}

const rewritten = (change: (summary: RunSummary) => object) => (body: Buffer) =>
  Buffer.from(`${JSON.stringify(change(JSON.parse(String(body))), undefined, 2)}\n`);
const remove = ({ vault }: Vault, path: string) => vault.remove(CONTROL_CONTAINER, path);

async function removeFolder(vault: Vault, id: string) {
  const { blobs } = vault.vault.listBlobs(CONTROL_CONTAINER, { prefix: runPrefix(nameOf(id)) });
  for (const { name } of blobs) remove(vault, name);
}

/** A prune plans nothing, and says why. */
async function expectRefused(vault: Vault, why: string) {
  const before = vault.contents();
  const plan = await vault.plan();
  expect(plan).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
  expect(plan.problems[0]!.message).toContain(why);
  expect(vault.contents()).toEqual(before);
}

describe('F13, I5: a summary that was altered, and still is one', () => {
  it.each<[string, (body: Buffer) => Buffer]>([
    ['without its parts', rewritten((summary) => ({ ...summary, parts: [], compared: [] }))],
    ['that is no restore point any more', rewritten((summary) => ({ ...summary, restorePoint: false }))],
    ['of another status', rewritten((summary) => ({ ...summary, status: 'failed', restorePoint: false }))],
    ['with one other digit', (body) => Buffer.from(String(body).replace('"copied": 8', '"copied": 9'))],
  ])('%s keeps a prune from deleting anything', async (_, alter) => {
    const { vault, held } = await heldAndLater();
    vault.alter(summaryPath(nameOf(held.id)), alter);
    await expectRefused(vault, summaryPath(nameOf(held.id)));
  });

  it('keeps a plan that was made before from being carried out', async () => {
    const { vault, held } = await heldAndLater();
    vault.put('b1', 'changed');
    await vault.backup();
    const plan = await vault.plan();
    expect(plan.status).toBe('succeeded');
    vault.alter(
      summaryPath(nameOf(held.id)),
      rewritten((summary) => ({ ...summary, parts: [] })),
    );
    const before = vault.contents();
    expect(await vault.carryOut(plan)).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
    expect(vault.contents()).toEqual(before);
  });

  it('is found by a verification, a restore, a list and the next backup, by name', async () => {
    const vault = await backedUp();
    const { id } = await vault.backup();
    vault.alter(
      summaryPath(nameOf(id)),
      rewritten((summary) => ({ ...summary, parts: [] })),
    );
    const path = summaryPath(nameOf(id));
    const verified = await vault.verify(id);
    expect(verified).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
    for (const restorePoint of [id, 'latest']) {
      await expect(choosePoint(vault.deps(), { restorePoint })).rejects.toThrow(path);
    }
    expect(await ask(vault, getRestorePointHandler, id)).toMatchObject({ status: 502, body: { code: 'damaged' } });
    const next = await vault.backup();
    expect(next).toMatchObject({
      status: 'completed-with-failures',
      comparedWith: id,
      problems: [{ code: 'damaged' }, { code: 'brake-engaged' }],
    });
    expect((await vault.notes(next.id)).brake).toMatchObject({ containers: ['*'] });
  });

  it('costs a prune one listing of the chain for each job, and no request for each restore point', async () => {
    const vault = await backedUp(1);
    vault.jobs = [
      jobOf('nightly', { retention: { keepLast: 50, marginHours: 12, brake: { percent: 50, blobs: 100, days: 30 } } }),
    ];
    for (let i = 0; i < 10; i++) await vault.backup();
    let reads = 0;
    vault.before = ({ operation, name }) => {
      if (operation === 'GetBlob' && name?.includes('/chain/')) reads++;
    };
    expect((await vault.plan()).status).toBe('succeeded');
    expect(reads).toBe(0);
  });
});

describe('F13, I5: notes that lack what is on record', () => {
  it.each<[string, (vault: Vault, path: string) => void]>([
    ['gone', remove],
    ['empty', (vault, path) => vault.alter(path, () => Buffer.from('{}'))],
    ['of another form', (vault, path) => vault.alter(path, () => Buffer.from('{"hello":1}'))],
  ])('%s keep a prune from deleting anything, until the restore point is held again', async (_, lose) => {
    const { vault, held } = await heldAndLater();
    const path = notesPath(nameOf(held.id));
    lose(vault, path);
    await expectRefused(vault, path);
    if (vault.vault.blob(CONTROL_CONTAINER, path)) remove(vault, path);
    expect((await ask(vault, holdHandler, held.id, { reason: 'again' })).status).toBe(200);
    expect((await vault.plan()).status).toBe('succeeded');
    expect((await ask(vault, unholdHandler, held.id)).status).toBe(200);
    expect(await vault.plan()).toMatchObject({ status: 'succeeded', plan: { remove: [held.id] } });
  });

  it('a safety brake that was lost can be released', async () => {
    const vault = await backedUp(200);
    await vault.backup();
    for (let i = 0; i < 200; i++) vault.put(`b${i}`, 'rewritten');
    const { id } = await vault.backup();
    const { reason } = (await vault.notes(id)).brake!;
    remove(vault, notesPath(nameOf(id)));
    await expectRefused(vault, 'its safety brake');
    await expect(choosePoint(vault.deps(), { restorePoint: 'latest' })).rejects.toThrow('its safety brake');
    expect((await ask(vault, releaseHandler, id)).body.brake).toMatchObject({ reason, released: expect.any(String) });
    expect((await vault.plan()).status).toBe('succeeded');
  });

  it('the result of a verification that was lost', async () => {
    const vault = await backedUp();
    const { id } = await vault.backup();
    await vault.verify(id);
    remove(vault, notesPath(nameOf(id)));
    await expectRefused(vault, 'the result of its last deep verification');
    await vault.verify(id);
    expect((await vault.plan()).status).toBe('succeeded');
  });
});

describe('a restore point that is on record and gone', () => {
  it.each([
    ['its summary', (vault: Vault, id: string) => remove(vault, summaryPath(nameOf(id)))],
    ['its whole folder', removeFolder],
  ])('is named by a prune and a restore, until an operator forgets it: %s', async (_, lose) => {
    const vault = await backedUp();
    vault.jobs = [
      jobOf('nightly', { retention: { keepLast: 9, marginHours: 12, brake: { percent: 50, blobs: 100, days: 30 } } }),
    ];
    const [first, second] = [await vault.backup(), await vault.backup()];
    expect(await ask(vault, forgetHandler, second.id)).toMatchObject({ status: 409, body: { code: 'point-there' } });
    await lose(vault, second.id);
    await expectRefused(vault, second.id);
    await expect(choosePoint(vault.deps(), { restorePoint: second.id })).rejects.toThrow('on record in the chain');
    await expect(choosePoint(vault.deps(), { restorePoint: 'latest' })).rejects.toThrow(first.id);
    const next = await vault.backup();
    expect(next).toMatchObject({ status: 'completed-with-failures', comparedWith: second.id });
    expect((await ask(vault, forgetHandler, second.id)).status).toBe(200);
    expect((await ask(vault, releaseHandler, next.id)).status).toBe(200);
    expect((await vault.plan()).status).toBe('succeeded');
    expect(await vault.backup()).toMatchObject({ status: 'succeeded', comparedWith: next.id });
  });

  it('can be forgotten without a chain, while it has notes', async () => {
    const { vault, held } = await heldAndLater();
    await removeFolder(vault, held.id);
    for (const { number } of vault.chain()) remove(vault, chainPath('nightly', number));
    await expectRefused(vault, `POST /api/restore-points/${held.id}/forget`);
    expect((await ask(vault, forgetHandler, held.id)).status).toBe(200);
    expect((await vault.plan()).status).toBe('succeeded');
    expect(await vault.prune()).toMatchObject({ status: 'succeeded' });
    expect(vault.vault.blob(CONTROL_CONTAINER, notesPath(nameOf(held.id)))).toBeUndefined();
    const unknown = 'nightly-20260101T000000Z-aaaaaa';
    expect((await ask(vault, forgetHandler, unknown)).status).toBe(404);
  });

  it('keeps a prune from deleting anything if its summary comes back after it was forgotten', async () => {
    const { vault, held } = await heldAndLater();
    const path = summaryPath(nameOf(held.id));
    const body = vault.vault.blob(CONTROL_CONTAINER, path)!.body;
    remove(vault, path);
    expect((await ask(vault, forgetHandler, held.id)).status).toBe(200);
    await expect(choosePoint(vault.deps(), { restorePoint: held.id })).rejects.toThrow('an operator has stated');
    vault.vault.write(CONTROL_CONTAINER, { name: path, body });
    await expectRefused(vault, 'delete its run.json again');
    remove(vault, path);
    expect((await vault.plan()).status).toBe('succeeded');
  });

  it('is in the list, with the problem', async () => {
    const vault = await backedUp();
    const deps = vault.deps();
    vault.deps = () => deps;
    const [lost, altered, bare] = [await vault.backup(), await vault.backup(), await vault.backup()];
    expect((await ask(vault, holdHandler, bare.id, { reason: 'audit' })).status).toBe(200);
    await removeFolder(vault, lost.id);
    remove(vault, notesPath(nameOf(bare.id)));
    vault.alter(
      summaryPath(nameOf(altered.id)),
      rewritten((summary) => ({ ...summary, parts: [] })),
    );
    const { body } = await ask(vault, listRestorePointsHandler);
    const unknown = { blobs: null, problem: { code: 'damaged' } };
    // The list reads no summaries.
    expect(body.restorePoints).toMatchObject([
      { id: bare.id, blobs: 8, problem: { code: 'damaged' } },
      { id: altered.id, blobs: 8 },
      { id: lost.id, ...unknown },
    ]);
    for (const { id } of [altered, lost]) {
      expect(await ask(vault, getRestorePointHandler, id)).toMatchObject({ status: 502, body: { code: 'damaged' } });
    }
  });

  it('a record that is missing keeps a prune from deleting anything', async () => {
    const { vault } = await heldAndLater();
    remove(vault, chainPath('nightly', 2));
    await expectRefused(vault, chainPath('nightly', 2));
  });
});

test('without its lock, a job compares with the last restore point, and the safety brake engages', async () => {
  for (const isChainThere of [true, false]) {
    const vault = await backedUp(200);
    const deps = vault.deps();
    vault.deps = () => deps;
    await vault.backup();
    const { id } = await vault.backup();
    remove(vault, lockPath('nightly'));
    if (!isChainThere) for (const { number } of vault.chain()) remove(vault, chainPath('nightly', number));
    for (let i = 0; i < 200; i++) vault.source.remove('data', `b${i}`);
    vault.put('one', 'left');
    const last = await vault.backup();
    expect(last).toMatchObject({ comparedWith: id, noLongerHeld: { deleted: 200 } });
    expect(vault.braked).toEqual([last.id]);
    vault.jobs = [
      jobOf('nightly', { retention: { keepLast: 1, marginHours: 0, brake: { percent: 50, blobs: 100, days: 30 } } }),
    ];
    await vault.prune();
    expect(Object.keys(vault.contents())).toHaveLength(201);
  }
});

test('without its lock, deep verifications continue with the next portion', async () => {
  const vault = await backedUp();
  const { id } = await vault.backup();
  for (let i = 0; i < 3; i++) await vault.verify(id, 'deep', '1/7');
  remove(vault, lockPath('nightly'));
  const { verify } = await vault.verify(id, 'deep', '1/7');
  expect(verify!.turn).toBe(3);
});

test('a backup into a vault that has lost its control container says so, and prunes delete nothing', async () => {
  const vault = await backedUp();
  const deps = vault.deps();
  vault.deps = () => deps;
  await vault.backup();
  vault.put('b0', 'changed');
  await vault.backup();
  vault.vault.deleteContainer(CONTROL_CONTAINER);
  const next = await vault.run({ mode: 'incremental' });
  expect(next).toMatchObject({
    status: 'completed-with-failures',
    problems: [{ code: 'damaged' }, { code: 'brake-engaged' }],
  });
  expect(next.problems[0]!.message).toContain('the catalog lists 2');
  const before = vault.contents();
  await vault.prune();
  expect(vault.contents()).toEqual(before);
});

describe('a restore point that a prune has removed', () => {
  async function pruned(): Promise<{ vault: Vault; id: string }> {
    const vault = await backedUp();
    const [{ id }] = [await vault.backup(), await vault.backup(), await vault.backup()];
    expect((await vault.prune()).status).toBe('succeeded');
    expect(vault.left(id)).toEqual([]);
    return { vault, id };
  }

  const gone = (id: string) => ({
    status: 404,
    body: { code: 'restore-point-not-found', detail: `A prune has removed restore point ${id}` },
  });

  it.each([
    ['shown', getRunHandler],
    ['asked for its outcomes', listOutcomesHandler],
    ['cancelled', cancelRunHandler],
    ['retried', retryRunHandler],
  ] as [string, Handler][])('is not called damaged when its run is %s', async (_, handler) => {
    const { vault, id } = await pruned();
    expect(await ask(vault, handler, id)).toMatchObject(gone(id));
  });

  it('is not forgotten: it is not lost', async () => {
    const { vault, id } = await pruned();
    const records = vault.chain().length;
    expect(await ask(vault, forgetHandler, id)).toMatchObject(gone(id));
    expect(vault.chain()).toHaveLength(records);
  });

  it('is not called damaged while the record of the prune is still to come', async () => {
    const vault = await backedUp();
    const [first] = [await vault.backup(), await vault.backup()];
    const plan = await vault.plan();
    const run = await vault.begin({
      mode: 'prune',
      dryRun: false,
      prune: { plan: { run: plan.id, hash: plan.plan!.hash } },
    });
    vault.before = ({ writes }) => {
      if (writes && vault.left(first.id).length === 0) throw new Error('the app dies');
    };
    await vault.work(run).catch(() => {});
    vault.before = () => {};
    expect(vault.chain().map(({ kind }) => kind)).not.toContain('prune');
    for (const handler of [getRunHandler, forgetHandler, getRestorePointHandler] as Handler[])
      expect(await ask(vault, handler, first.id)).toMatchObject(gone(first.id));
  });

  it('is called damaged if its run is asked for, and it is lost', async () => {
    const vault = await backedUp();
    const { id } = await vault.backup();
    await vault.backup();
    await removeFolder(vault, id);
    expect(await ask(vault, getRunHandler as Handler, id)).toMatchObject({ status: 502, body: { code: 'damaged' } });
    expect((await ask(vault, forgetHandler, id)).status).toBe(200);
    expect(await ask(vault, getRunHandler as Handler, id)).toMatchObject({ status: 404 });
    expect((await ask(vault, forgetHandler, id)).status).toBe(200);
    expect(vault.chain().filter(({ kind }) => kind === 'forget')).toHaveLength(1);
  });
});
