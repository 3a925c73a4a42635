import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, describe, expect, it } from 'vitest';
import { lockPath, sliceKey } from '#domain/run/control-paths.ts';
import { PartWriter } from '#domain/run/part.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { getRunHandler } from '#functions/run/get-run.ts';
import { held } from '../../../support/builders/held-run.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { BACKUP, Vault } from '../../../support/builders/prune-vault.ts';

let vault: Vault;
const client = { getStatus: async () => ({ runtimeStatus: 'Running' }) } as unknown as DurableClient;

beforeEach(() => {
  vault = new Vault();
  vault.put('a', 'a');
});

async function ask(id: string, query: Record<string, string> = {}, headers: Record<string, string> = {}) {
  const request = httpRequest({ params: { id }, query, headers });
  const answer = await getRunHandler(vault.deps())(request, client, { functionName: 'f' } as InvocationContext);
  const { etag = '' } = answer.headers as Record<string, string>;
  return { status: answer.status, etag, body: answer.body === undefined ? undefined : JSON.parse(String(answer.body)) };
}

/** A backup of which one blob fails: its copy in the vault is leased. */
async function failing(): Promise<RunSummary> {
  await vault.backup();
  vault.put('a', 'newer');
  vault.vault.alter(BACKUP, 'a', { leased: true }, 'LeaseBlob');
  const run = await vault.backup();
  vault.vault.alter(BACKUP, 'a', { leased: undefined }, 'BreakLease');
  expect(run.status).toBe('completed-with-failures');
  return run;
}

describe('the report of a run', () => {
  it('says that it starts, that it was asked to end, and what an operator can do', async () => {
    const run = await vault.begin({ mode: 'full', dryRun: false });
    const started = { phase: 'starting', cancelling: false, progressAt: null };
    expect((await ask(run.id)).body).toMatchObject({
      ...started,
      actions: { cancel: { may: true }, retry: { may: false, code: 'run-in-progress' } },
    });
    vault.alter(lockPath('nightly'), (lock) =>
      Buffer.from(JSON.stringify({ ...JSON.parse(String(lock)), cancel: true })),
    );
    expect((await ask(run.id)).body).toMatchObject({
      cancelling: true,
      actions: { cancel: { may: false, code: 'cancelling' } },
    });
  });

  it('says what it does, and when it last made progress', async () => {
    const run = await vault.begin({ mode: 'full', dryRun: false });
    vault.pass(1);
    const wrote = new Date(vault.clock.app).toISOString().slice(0, 13);
    const tally = { ...emptyTally('data', BACKUP), listed: 3, planned: 3, last: true };
    await vault.control.writePart(held(run), 'slice', sliceKey(0), new PartWriter(), tally, {});
    vault.pass(1);
    const { body } = await ask(run.id);
    expect(body).toMatchObject({ phase: 'copying', progressAt: expect.stringContaining(wrote) });
  });

  it('has ended, and cannot be cancelled', async () => {
    const { id } = await vault.backup();
    expect((await ask(id)).body).toMatchObject({
      ...{ phase: 'ended', cancelling: false, progressAt: null, containersTotal: 1 },
      actions: { cancel: { may: false, code: 'run-ended' }, retry: { may: false, code: 'nothing-to-retry' } },
    });
  });

  it('says what a verification has read, and nothing of one in progress or of a backup', async () => {
    const backup = await vault.backup();
    expect((await ask(backup.id)).body).not.toHaveProperty('verdict');
    expect((await ask((await vault.verify(backup.id)).id)).body.verdict).toBe('1 of 1 item read, none wrong');
    const { id } = await vault.verify(backup.id, 'quick');
    expect((await ask(id)).body.verdict).toBe('1 item checked, by listing only, none wrong');
  });

  it('can be retried while it is the newest backup with failures, and no other is in progress', async () => {
    const run = await failing();
    const retryOf = async () => (await ask(run.id)).body.actions.retry;
    expect(await retryOf()).toEqual({ may: true });
    const next = await vault.begin({ mode: 'incremental', dryRun: false });
    expect(await retryOf()).toMatchObject({
      may: false,
      code: 'run-in-progress',
      why: expect.stringContaining(next.id),
    });
    await vault.work(next);
    expect(await retryOf()).toMatchObject({
      may: false,
      code: 'nothing-to-retry',
      why: expect.stringMatching(/newest/),
    });
    vault.jobs = [];
    expect((await ask(run.id)).status).toBe(404);
  });

  it('has all of its containers, those with problems, or none', async () => {
    const { id } = await failing();
    const shown = async (containers: string) => {
      const { body } = await ask(id, { containers });
      return { shown: body.containers.length, total: body.containersTotal, problems: body.problems.length };
    };
    expect(await shown('all')).toEqual({ shown: 1, total: 1, problems: 2 });
    expect(await shown('problems')).toEqual({ shown: 1, total: 1, problems: 2 });
    expect(await shown('none')).toEqual({ shown: 0, total: 1, problems: 2 });
    const sound = await vault.backup();
    expect((await ask(sound.id, { containers: 'problems' })).body.containers).toEqual([]);
    expect((await ask(sound.id, { containers: 'some' })).status).toBe(400);
  });

  it.each([
    ['quick', {}],
    ['deep', { portion: '5%', turn: 0 }],
    ['drill', { sample: 20 }],
  ] as const)('of a %s verification has the fields of its kind only', async (kind, fields) => {
    const { id: point } = await vault.backup();
    const verify = { point, kind, portion: '5%', turn: 0, sample: 20 };
    const run = await vault.begin({ mode: 'verify', dryRun: false, verify });
    expect((await ask(run.id)).body.verify).toEqual({ point, kind, ...fields });
  });

  it('is not sent to a caller who has it', async () => {
    const { id } = await vault.backup();
    const { etag, body } = await ask(id);
    expect(body.id).toBe(id);
    expect(await ask(id, {}, { 'if-none-match': `"x", W/${etag}` })).toEqual({ status: 304, etag, body: undefined });
    expect((await ask(id, { containers: 'none' }, { 'if-none-match': etag })).status).toBe(200);
    const none = await ask('nightly-20260101T000000Z-aaaaaa', {}, { 'if-none-match': '*' });
    expect(none.status).toBe(404);
  });
});
