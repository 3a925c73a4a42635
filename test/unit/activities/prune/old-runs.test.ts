import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { listOutcomesHandler } from '#functions/run/list-outcomes.ts';
import { refusal } from '../../../../prove/memory/memory-account.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { checkMemory } from '../../../support/builders/memory-check.ts';
import { BACKUP, jobOf, Vault } from '../../../support/builders/prune-vault.ts';
import { Random } from '../../../support/builders/random.ts';

let room: Vault;
const DAYS = 24;
const brake = { percent: 50, blobs: 100, days: 30 };
const source = { ...jobOf('nightly', {}).source, containers: ['data', 'more*'] };
const jobWith = (keepLast: number) => jobOf('nightly', { source, retention: { keepLast, marginHours: 0, brake } });
const prefix = ({ id }: RunSummary) => `jobs/nightly/runs/${id}/`;
const left = (run: RunSummary) => room.left(run.id).filter((name) => name.startsWith(prefix(run)));
const isCleared = (run: RunSummary) => left(run).length === 1;

beforeEach(() => {
  room = new Vault();
  room.jobs = [jobWith(5)];
});

/** A backup of which one blob fails: its copy in the vault is leased. */
async function failingBackup(mode: 'full' | 'retry', retryOf?: string): Promise<RunSummary> {
  room.put('a', `a at ${room.clock.app}`);
  room.vault.alter(BACKUP, 'a', { leased: true }, 'LeaseBlob');
  const run = await room.run({ mode, ...(retryOf && { retryOf }) });
  room.vault.alter(BACKUP, 'a', { leased: undefined }, 'BreakLease');
  return run;
}

/** A backup, or the retry of one, that cannot list one of its containers. */
async function brokenBackup(retryOf?: string): Promise<RunSummary> {
  room.before = ({ alias, operation, container }) => {
    if (alias === 'SOURCE' && operation === 'ListBlobs' && container === 'data')
      throw refusal('server', 500, 'InternalError');
  };
  const run = await room.run(retryOf === undefined ? { mode: 'full' } : { mode: 'retry', retryOf });
  room.before = () => {};
  return run;
}

const outcomes = async ({ id }: RunSummary) => {
  const request = httpRequest({ params: { id } });
  const client = { getStatus: async () => ({}) } as unknown as DurableClient;
  const answer = await listOutcomesHandler(room.deps())(request, client, { functionName: 'f' } as InvocationContext);
  return { status: answer.status, body: JSON.parse(String(answer.body)) };
};

test('a prune deletes all but the summary of old runs that left no restore point', async () => {
  room.put('a', 'a');
  const point = await room.backup();
  const dry = await room.run({ mode: 'full', dryRun: true });
  const verified = await room.verify(point.id, 'quick');
  const pruned = await room.prune();
  room.pass(90 * DAYS);
  const young = await room.verify(point.id, 'quick');
  const last = await room.backup();
  const plan = await room.plan();
  expect(plan.plan!.oldRuns).toEqual([dry.id, verified.id, pruned.prune!.plan!.run, pruned.id]);
  for (const run of [dry, verified, pruned]) expect(isCleared(run)).toBe(false);
  const done = await room.carryOut(plan);
  expect(done).toMatchObject({ status: 'succeeded', plan: { oldRuns: plan.plan!.oldRuns } });
  for (const run of [dry, verified, pruned]) {
    expect(left(run)).toEqual([`${prefix(run)}run.json`]);
    expect(await room.control.readSummary(run)).toMatchObject({ status: 'succeeded' });
  }
  for (const run of [point, last, young]) expect(isCleared(run)).toBe(false);
  expect((await room.plan()).plan!.oldRuns).toEqual([]);
  expect(await outcomes(verified)).toMatchObject({ status: 404, body: { code: 'outcomes-removed' } });
  expect(await outcomes(young)).toMatchObject({ status: 200 });
});

test('a vault is in order after a prune of old runs, because the record of the prune names them', async () => {
  room.put('a', 'a');
  const point = await room.backup();
  for (let times = 0; times < 7; times++) await room.verify(point.id, 'deep');
  await room.prune();
  room.pass(91 * DAYS);
  const plan = await room.plan();
  const run = await room.begin({ mode: 'prune', prune: { plan: { run: plan.id, hash: plan.plan!.hash } } });
  await makeActivities(room.deps()).listContainers({ run });
  await makeActivities(room.deps()).clearOldRuns({ run });
  const { findings } = await checkMemory(room.vault, { job: 'nightly' });
  expect(findings).toEqual([]);
  await room.work(run);
  expect(room.chain().at(-1)).toMatchObject({ kind: 'prune', cleared: plan.plan!.oldRuns });
  expect(plan.plan!.oldRuns).toHaveLength(4);
  expect((await checkMemory(room.vault, { job: 'nightly', content: true })).findings).toEqual([]);
});

test('a prune leaves the verifications that the next one builds on', async () => {
  room.put('a', 'a');
  const first = await room.backup();
  const verified: RunSummary[] = [];
  for (let times = 0; times < 7; times++) verified.push(await room.verify(first.id, 'deep'));
  const second = await room.backup();
  for (let times = 0; times < 6; times++) await room.verify(second.id, 'deep');
  room.pass(91 * DAYS);
  await room.prune();
  expect(verified.map(isCleared)).toEqual([true, true, false, false, false, false, false]);
});

test('a prune leaves the last backup, which may be retried, and the runs that its retry builds on', async () => {
  room.put('a', 'a');
  room.put('b', 'b');
  await room.backup();
  const old = await brokenBackup();
  const failed = await brokenBackup();
  const retried = await room.run({ mode: 'retry', retryOf: failed.id });
  expect(retried.restorePoint).toBe(true);
  room.source.createContainer('more');
  room.put('c', 'c', 'more');
  await room.backup();
  room.source.deleteContainer('more');
  const before = await brokenBackup();
  const last = await brokenBackup(before.id);
  expect(last.compared.some(({ path }) => path.includes(before.id))).toBe(true);
  room.pass(91 * DAYS);
  await room.prune();
  expect([old, before, last].map(isCleared)).toEqual([true, false, false]);
  expect(await room.run({ mode: 'retry', retryOf: last.id })).toMatchObject({ status: 'succeeded' });
});

test('a prune leaves what is a restore point by its summary or by its record, whatever its metadata says', async () => {
  room.put('a', 'a');
  const point = await room.backup();
  const path = `${prefix(point)}run.json`;
  const { body } = room.vault.blob('strongroom', path)!;
  room.vault.write('strongroom', { name: path, body, metadata: { strongroom_run: '{"restorePoint":false}' } });
  room.pass(91 * DAYS);
  await room.backup();
  const before = left(point);
  await room.prune();
  expect(left(point)).toEqual(before);
});

test('a prune that was killed while it cleared runs leaves the rest to its next execution', async () => {
  room.put('a', 'a');
  const point = await room.backup();
  for (let times = 0; times < 20; times++) await room.verify(point.id, 'quick');
  room.pass(91 * DAYS);
  const plan = await room.plan();
  let deletions = 0;
  room.before = ({ operation }) => {
    if (operation === 'DeleteBlob' && ++deletions === 30) throw new Error('killed');
  };
  const run = await room.begin({ mode: 'prune', prune: { plan: { run: plan.id, hash: plan.plan!.hash } } });
  const activities = makeActivities(room.deps());
  await activities.listContainers({ run });
  expect(await activities.clearOldRuns({ run })).toMatchObject({ problem: { code: 'internal' } });
  room.before = () => {};
  expect(await activities.clearOldRuns({ run })).toMatchObject({ requests: {} });
  for (const id of plan.plan!.oldRuns!) expect(room.left(id).filter((name) => name.includes('/runs/'))).toHaveLength(1);
});

test('a prune without the right to delete says so, and the next one clears the runs', async () => {
  room.put('a', 'a');
  const point = await room.backup();
  const verified = await room.verify(point.id, 'quick');
  room.pass(91 * DAYS);
  const plan = await room.plan();
  room.before = ({ operation, name }) => {
    if (operation === 'DeleteBlob' && name?.includes(verified.id)) throw refusal('access-denied', 403, 'Refused');
  };
  expect(await room.carryOut(plan)).toMatchObject({ problems: [{ code: 'access-denied-prune' }] });
  room.before = () => {};
  await room.prune();
  expect(isCleared(verified)).toBe(true);
});

test('I5: whatever ran before, a prune clears no run that a retry or a restore point needs', {
  timeout: 60_000,
  tags: ['slow'],
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const random = new Random(seed);
      room = new Vault();
      room.jobs = [jobWith(random.between(1, 3))];
      room.put('a', 'a');
      room.source.createContainer('more');
      room.put('b', 'b', 'more');
      const gone = random.below(14);
      let point = await room.backup();
      let last = point;
      for (let steps = 0; steps < 14; steps++) {
        room.pass(random.between(1, 60) * DAYS);
        if (steps === gone) room.source.deleteContainer('more');
        const step = random.below(6);
        if (step === 0) last = await brokenBackup();
        else if (step === 1 && last.status === 'failed') last = await brokenBackup(last.id);
        else if (step === 1) last = await failingBackup('full');
        else if (step === 2 && last.status !== 'succeeded') {
          last = random.chance(0.5)
            ? await failingBackup('retry', last.id)
            : await room.run({ mode: 'retry', retryOf: last.id });
        } else if (step === 3) await room.run({ mode: 'full', dryRun: true });
        else if (step === 4) await room.verify(point.id, random.pick(['quick', 'deep']));
        else expect(await room.prune()).toMatchObject({ status: 'succeeded' });
        if (last.restorePoint) point = last;
        expect(await room.lost(point)).toEqual([]);
      }
      room.pass(91 * DAYS);
      await room.prune();
      expect((await checkMemory(room.vault, { job: 'nightly' })).findings).toEqual([]);
      if (last.status === 'succeeded') return;
      const retried = await room.run({ mode: 'retry', retryOf: last.id });
      expect(retried).toMatchObject({ status: 'succeeded', problems: [] });
      expect(await room.lost(retried)).toEqual([]);
    }),
    { numRuns: 12 },
  );
});

test('the plan of a prune with 10,000 old runs takes no request for each of them', async () => {
  room.put('a', 'a');
  const point = await room.backup();
  const verified = await room.verify(point.id, 'quick');
  const body = (id: string) => Buffer.from(JSON.stringify({ ...verified, id }));
  for (let number = 0; number < 10_000; number++) {
    const id = `nightly-20260101T000000Z-${String(number).padStart(6, '0')}`;
    const metadata = { strongroom_run: '{"restorePoint":false}' };
    room.vault.write('strongroom', { name: `jobs/nightly/runs/${id}/run.json`, body: body(id), metadata });
  }
  room.pass(91 * DAYS);
  const counts: Record<string, number> = {};
  room.before = ({ operation }) => {
    counts[operation] = (counts[operation] ?? 0) + 1;
  };
  const run: RunRef = await room.begin({ mode: 'prune', dryRun: true, prune: {} });
  await makeActivities(room.deps()).listContainers({ run });
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeLessThan(40);
});
