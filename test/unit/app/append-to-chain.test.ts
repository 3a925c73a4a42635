import { createHash } from 'node:crypto';
import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { describe, expect, it, test } from 'vitest';
import { appendToChain } from '#app/append-to-chain.ts';
import { CONTROL_CONTAINER, chainPath, lockPath, summaryPath } from '#domain/run/control-paths.ts';
import type { RunMode } from '#domain/run/run.ts';
import { holdHandler, releaseHandler, unholdHandler } from '#functions/restore-points/note-restore-point.ts';
import { showChainHandler } from '#functions/restore-points/show-chain.ts';
import { cancelRunHandler } from '#functions/run/cancel-run.ts';
import { getRunHandler } from '#functions/run/get-run.ts';
import { startRun } from '#functions/run/start-run.ts';
import { httpRequest } from '../../support/builders/http-request.ts';
import { checkMemory } from '../../support/builders/memory-check.ts';
import { jobOf, Vault } from '../../support/builders/prune-vault.ts';

const sha256 = (body: Buffer) => createHash('sha256').update(body).digest('hex');
const bytesOf = ({ vault }: Vault, path: string) => vault.blob(CONTROL_CONTAINER, path)!.body;
const client = {
  getStatus: async () => ({ runtimeStatus: 'Running' }),
  startNew: async () => '',
  terminate: async () => {},
};

type Handler = typeof holdHandler | typeof cancelRunHandler;

async function ask(vault: Vault, handler: Handler, id: string, body: object = {}) {
  const request = httpRequest({ params: { id, job: 'nightly' }, body });
  const context = { functionName: 'f' } as InvocationContext;
  const answer = await handler(vault.deps())(request, client as unknown as DurableClient, context);
  expect(answer.status, String(answer.body)).toBe(200);
  return JSON.parse(String(answer.body));
}

/** A vault whose last backup has this many blobs, with the retention policy of the other tests. */
async function backedUp(blobs: number): Promise<Vault> {
  const vault = new Vault();
  for (let i = 0; i < blobs; i++) vault.put(`blob ${i}`, `content ${i}`);
  return vault;
}

test('a record of each restore point, verification and prune names its summary by the SHA-256 of its bytes', async () => {
  const vault = await backedUp(3);
  const first = await vault.backup();
  vault.put('blob 0', 'changed');
  const second = await vault.backup();
  const verified = await vault.verify(second.id);
  const marking = await vault.prune();
  const emptying = await vault.prune();
  const named = (id: string) => {
    const path = summaryPath({ job: 'nightly', id });
    return { run: id, summary: { path, sha256: sha256(bytesOf(vault, path)) } };
  };
  expect(vault.chain()).toMatchObject([
    { kind: 'restore-point', status: 'succeeded', held: { blobs: 3, entities: 0 }, parts: 2 },
    { kind: 'restore-point', ...named(second.id), held: { blobs: 3, entities: 0 } },
    { kind: 'verification', ...named(verified.id), point: second.id, verify: 'deep', items: 3, read: 3, failed: 0 },
    { kind: 'prune', ...named(marking.id), removed: [first.id], emptied: [first.id], plan: marking.prune!.plan! },
    { kind: 'prune', ...named(emptying.id), removed: [], emptied: [] },
  ]);
  expect(vault.chain()[0]).toMatchObject({ run: first.id });
});

test('a prune with a margin records what it marks, and a later one what it empties', async () => {
  const vault = await backedUp(1);
  vault.jobs = [
    jobOf('nightly', { retention: { keepLast: 1, marginHours: 12, brake: { percent: 50, blobs: 100, days: 30 } } }),
  ];
  const first = await vault.backup();
  await vault.backup();
  await vault.prune();
  vault.pass(24);
  await vault.prune();
  expect(vault.chain().slice(2)).toMatchObject([
    { removed: [first.id], emptied: [] },
    { removed: [], emptied: [first.id] },
  ]);
});

test('a run that leaves no restore point, a dry run and the plan of a prune have no record', async () => {
  const vault = await backedUp(1);
  await vault.backup();
  await vault.run({ mode: 'full', dryRun: true });
  await vault.plan();
  expect(vault.chain()).toHaveLength(1);
});

test('I6: nothing goes into the chain from an answer that was cut off on its way', async () => {
  for (const path of [/chain/, /run\.json/]) {
    const vault = await backedUp(1);
    const first = await vault.backup();
    const deps = vault.deps();
    const blobs = deps.blobs('VAULT');
    const summary = (await vault.control.readSummary(first))!;
    const whole = blobs.getObject.bind(blobs);
    blobs.getObject = async (container, name) => {
      const found = await whole(container, name);
      return found && path.test(name) ? { ...found, body: found.body.subarray(0, -1) } : found;
    };
    await expect(appendToChain(deps, blobs, { ...summary, id: first.id.replace(/.$/, 'x') })).rejects.toThrow();
    expect(vault.chain()).toHaveLength(1);
  }
});

test('a verification that ends a second time, after a later one, does not bring its result back', async () => {
  const vault = await backedUp(1);
  const { id } = await vault.backup();
  const early = await vault.verify(id);
  const later = await vault.verify(id);
  await appendToChain(vault.deps(), vault.deps().blobs('VAULT'), early);
  expect((await vault.notes(id)).proofs).toMatchObject([{ run: later.id }]);
  expect(vault.chain()).toHaveLength(3);
});

test('I6: of two verifications that end beside one another, the notes have the result of the last on record', async () => {
  const reached = new Set<string>();
  for (let at = 0, hasMet = true; hasMet; at++) {
    const vault = await backedUp(1);
    const { id: point } = await vault.backup();
    const begin = () =>
      vault.begin({ mode: 'verify', verify: { point, kind: 'quick', portion: '', turn: 0, sample: 0 } });
    const [one, other] = [await begin(), await begin()];
    let count = 0;
    hasMet = false;
    vault.before = async () => {
      if (count++ !== at) return;
      hasMet = true;
      await vault.work(other);
    };
    await vault.work(one);
    vault.before = () => {};
    if (!hasMet) await vault.work(other);
    const last = vault.chain().at(-1) as unknown as { run: string };
    reached.add(last.run === one.id ? 'one' : 'other');
    expect((await vault.notes(point)).proofs, `request ${at}`).toMatchObject([{ run: last.run }]);
    expect((await checkMemory(vault.vault, { job: 'nightly', content: true })).findings, `request ${at}`).toEqual([]);
  }
  expect(reached.size).toBe(2);
});

test('a verification that is noted late brings no notes of a removed restore point back', async () => {
  const vault = await backedUp(1);
  const { id } = await vault.backup();
  const verified = await vault.verify(id);
  vault.put('blob 0', 'changed');
  const { id: next } = await vault.backup();
  await vault.verify(next);
  await vault.prune();
  expect(vault.left(id)).toEqual([]);
  await appendToChain(vault.deps(), vault.deps().blobs('VAULT'), verified);
  expect(vault.left(id)).toEqual([]);
});

test('each record has the next number and the SHA-256 of the record before it, and each head is reported', async () => {
  const vault = await backedUp(1);
  for (let i = 0; i < 4; i++) await vault.backup();
  const chain = vault.chain();
  expect(chain.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
  const hashes = chain.map(({ number }) => sha256(bytesOf(vault, chainPath('nightly', number))));
  expect(chain.map(({ previous }) => previous)).toEqual([null, ...hashes.slice(0, -1)]);
  expect(vault.heads).toEqual(hashes.map((hash, index) => ({ number: index + 1, sha256: hash })));
});

test('the API shows the head of a chain, and the record of an ended run', async () => {
  const vault = await backedUp(1);
  expect(await ask(vault, showChainHandler, '')).toEqual({ job: 'nightly', records: 0, head: null });
  const { id } = await vault.backup();
  await vault.backup();
  const dry = await vault.run({ mode: 'full', dryRun: true });
  const [first, head] = vault.heads;
  expect(await ask(vault, showChainHandler, '')).toEqual({ job: 'nightly', records: 2, head });
  expect(await ask(vault, getRunHandler, id)).toMatchObject({ id, chain: first });
  // The vault has it for as long as it has the restore points.
  const { jobs } = vault;
  vault.jobs = jobs.map((job) => ({ ...job, name: 'other' }));
  expect(await ask(vault, showChainHandler, '')).toEqual({ job: 'nightly', records: 2, head });
  vault.jobs = jobs;
  expect(await ask(vault, getRunHandler, dry.id)).not.toHaveProperty('chain');
});

test('the safety brake of a restore point is in its record', async () => {
  const vault = await backedUp(150);
  await vault.backup();
  for (let i = 0; i < 150; i++) vault.put(`blob ${i}`, `encrypted ${i}`);
  const { id } = await vault.backup();
  const { brake } = await vault.notes(id);
  expect(vault.chain()[1]).toMatchObject({ run: id, brake: brake!.reason });
  await ask(vault, releaseHandler, id);
  const { released } = (await vault.notes(id)).brake!;
  expect(vault.chain()[2]).toMatchObject({ kind: 'release', point: id, reason: brake!.reason, released });
});

test('a hold, another one and their end are records', async () => {
  const vault = await backedUp(1);
  const { id } = await vault.backup();
  await ask(vault, holdHandler, id, { reason: 'audit' });
  const { hold: first } = await vault.notes(id);
  vault.pass(1);
  await ask(vault, holdHandler, id, { reason: 'lawsuit' });
  const { hold: second } = await vault.notes(id);
  await ask(vault, unholdHandler, id);
  expect(vault.chain().slice(1)).toMatchObject([
    { kind: 'hold', point: id, hold: first },
    { kind: 'hold', point: id, hold: second, ends: first!.at },
    { kind: 'unhold', point: id, ends: second!.at },
  ]);
});

describe('a run that died before it had a record', () => {
  /** The vault as a death before the write of an object leaves it. */
  async function died(mode: RunMode, before: string): Promise<{ vault: Vault; id: string; point: string }> {
    const vault = await backedUp(1);
    const points = mode === 'full' ? [] : [await vault.backup(), await vault.backup()];
    const point = points.at(-1)?.id ?? '';
    const plan = mode === 'prune' ? await vault.plan() : undefined;
    const run = await vault.begin({
      mode,
      ...(plan && { prune: { plan: { run: plan.id, hash: plan.plan!.hash } } }),
      ...(mode === 'verify' && { verify: { point, kind: 'quick', portion: '', turn: 0, sample: 0 } }),
    });
    vault.before = ({ container, name, writes }) => {
      if (container === CONTROL_CONTAINER && name?.includes(before) && writes) throw new Error('died');
    };
    await expect(vault.work(run)).rejects.toThrow('died');
    vault.before = () => {};
    return { vault, id: run.id, point };
  }

  const start = (vault: Vault) =>
    startRun(vault.deps(), client as unknown as DurableClient, {
      ...{ job: 'nightly', mode: 'full', trigger: 'http', dryRun: false },
    });

  it.each(['full', 'prune', 'verify'] as const)(
    'a run with mode %s gets its record before the next begins',
    async (mode) => {
      const { vault, id } = await died(mode, '/chain/');
      const before = vault.chain().length;
      await start(vault);
      expect(vault.chain().slice(before)).toMatchObject([{ run: id, late: true }]);
    },
  );

  it('the result of a verification is noted before the next run begins', async () => {
    const { vault, id, point } = await died('verify', '/restore-points/');
    expect(await vault.notes(point)).toEqual({});
    await start(vault);
    expect(await vault.notes(point)).toMatchObject({ proofs: [{ run: id }] });
  });

  it('a prune that died before it had a summary gets its record when it is cancelled by force', async () => {
    const { vault, id } = await died('prune', 'run.json');
    const before = vault.chain();
    await ask(vault, cancelRunHandler, id, { force: true });
    const { run: removed } = before[0] as { run: string };
    expect(vault.chain().slice(2)).toMatchObject([{ run: id, late: true, status: 'cancelled', removed: [removed] }]);
  });

  it('a backup that ends after all has one record', async () => {
    const { vault, id } = await died('full', '/chain/');
    const run = JSON.parse(String(bytesOf(vault, lockPath('nightly')))).run;
    await vault.work(run);
    await vault.work(run);
    expect(vault.chain()).toMatchObject([{ run: id }]);
    expect(vault.chain()[0]).not.toHaveProperty('late');
  });
});

test('a damaged record stops no backup', async () => {
  const vault = await backedUp(1);
  await vault.backup();
  vault.alter(chainPath('nightly', 1), () => Buffer.from('not JSON'));
  await vault.backup();
  const last = JSON.parse(String(bytesOf(vault, chainPath('nightly', 2))));
  expect(last).toMatchObject({ number: 2, previous: sha256(Buffer.from('not JSON')) });
});
