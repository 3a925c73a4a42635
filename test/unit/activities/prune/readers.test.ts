import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { makeActivities } from '#activities/index.ts';
import { endRun } from '#app/close-run.ts';
import { jobContextOf } from '#app/job-context.ts';
import { type Registered, registerReader } from '#app/register-reader.ts';
import type { Job } from '#config/configuration.ts';
import { CONTROL_CONTAINER, notesPath, readerPath } from '#domain/run/control-paths.ts';
import type { UnlockedReader } from '#domain/run/reader-lock.ts';
import type { RunRef, RunSummary } from '#domain/run/run.ts';
import { cancelRunHandler } from '#functions/run/cancel-run.ts';
import { readersInProgress } from '#functions/run/readers.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';
import { runRef } from '../../../support/builders/run-ref.ts';

let room: Vault;
const retaining = (more: Partial<NonNullable<Job['retention']>> = {}) =>
  jobOf('nightly', {
    retention: { keepLast: 1, marginHours: 0, brake: { percent: 50, blobs: 100, days: 30 }, ...more },
  });

beforeEach(() => {
  room = new Vault();
  room.jobs = [retaining()];
});

async function twoDays(): Promise<[RunSummary, RunSummary]> {
  room.put('a', 'day 0');
  room.put('old', 'old');
  const first = await room.backup();
  room.put('a', 'day 1');
  room.source.remove('data', 'old');
  return [first, await room.backup()];
}

const verifying = (point: string) =>
  ({ mode: 'verify', verify: { point, kind: 'quick', portion: '100%', turn: 0, sample: 0 } }) as const;
const reader = (point: string) =>
  runRef({ id: 'nightly-20260503T000000Z-reader', ...verifying(point) }) as UnlockedReader;
const register = (point: string, control = room.control) => registerReader(control, reader(point), new Date());

test('I5: a prune leaves what a run reads, and names the run; the next prune deletes it', async () => {
  const [first] = await twoDays();
  const before = room.contents();
  const run = await room.begin(verifying(first.id));
  const reading = [{ job: 'nightly', point: first.id, run: run.id }];
  expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 0 }, plan: { reading } });
  expect(room.contents()).toEqual(before);
  expect(await room.notes(first.id)).toEqual({ removed: { at: expect.any(String), run: expect.any(String) } });
  expect(await room.work(run)).toMatchObject({ status: 'succeeded' });
  expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 2 }, plan: { reading: [] } });
  expect(room.left(first.id)).toEqual([]);
});

test('F12: a plan whose reader has ended since is carried out as it was made', async () => {
  const [first] = await twoDays();
  const run = await room.begin(verifying(first.id));
  const plan = await room.plan();
  await endRun(room.deps(), { run, vault: 'VAULT' }, 'failed');
  expect(await room.carryOut(plan)).toMatchObject({ status: 'succeeded', counts: { removed: 0 } });
});

test('F12: a plan is out of date if a run reads what it deletes, and it leaves no mark', async () => {
  const [first] = await twoDays();
  const plan = await room.plan();
  await register(first.id);
  const done = await room.carryOut(plan);
  expect(done).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  expect(await room.notes(first.id)).toEqual({});
  expect(room.contents()).toEqual({ a: ['day 1', 'day 0'], old: ['old'] });
});

test('I5: a reader that died keeps its restore point until it is ended, and no longer', async () => {
  const [first] = await twoDays();
  const run = await room.begin(verifying(first.id));
  await room.prune();
  expect(await room.lost(first)).toEqual([]);
  await endRun(room.deps(), { run, vault: 'VAULT' }, 'failed');
  expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 2 } });
});

test('a prune removes the locks of readers that ended before its margin, and no others', async () => {
  const [first] = await twoDays();
  const locks = async () => {
    const { blobs } = await room.vault.listBlobs(CONTROL_CONTAINER, { prefix: 'jobs/nightly/readers/' });
    return blobs.map(({ name }) => name);
  };
  const ended = await room.begin(verifying(first.id));
  await room.work(ended);
  const open = await room.begin(verifying(first.id));
  expect(await locks()).toEqual([readerPath(ended), readerPath(open)].sort());
  room.jobs = [retaining({ marginHours: 24 })];
  await room.prune();
  expect(await locks()).toHaveLength(2);
  room.jobs = [retaining()];
  await room.prune();
  expect(await locks()).toEqual([readerPath(open)]);
  expect(await room.work(open)).toMatchObject({ status: 'succeeded' });
  await room.prune();
  expect(await locks()).toEqual([]);
});

describe.each([
  ['empty', ''],
  ['cut off', '{"job":"nightly","epoch":1,"run":{"id":'],
  ['of another form', '{"format":2,"job":"nightly","holder":{}}'],
])('F13: the lock of a reader that is %s', (_, text) => {
  const damage = (run: { job: string; id: string }) =>
    room.vault.write(CONTROL_CONTAINER, { name: readerPath(run), body: Buffer.from(text) });
  const client = { getStatus: async () => ({ runtimeStatus: 'Running' }), terminate: async () => {} };

  it('keeps a prune from deleting until its run is ended by force, as the message says', async () => {
    const [first] = await twoDays();
    const run = await room.begin(verifying(first.id));
    damage(run);
    const plan = await room.plan();
    expect(plan).toMatchObject({ status: 'failed', problems: [{ code: 'damaged' }] });
    expect(plan.problems[0]!.message).toContain(readerPath(run));
    const [, id] = /POST \/api\/runs\/(\S+)\/cancel with \{"force": true\}/.exec(plan.problems[0]!.message)!;
    const request = httpRequest({ params: { id: id! }, body: { force: true } });
    const cancel = cancelRunHandler(room.deps());
    const answer = await cancel(request, client as unknown as DurableClient, {} as InvocationContext);
    expect(answer).toMatchObject({ status: 200 });
    expect(JSON.parse(String(answer.body))).toMatchObject({ id: run.id, status: 'cancelled' });
    // Its activities may go on: they find that the run has ended.
    expect(await room.work(run)).toMatchObject({ status: 'cancelled' });
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 2 } });
  });

  it('of a run that has ended keeps nothing', async () => {
    const [, second] = await twoDays();
    const run = await room.begin(verifying(second.id));
    await room.work(run);
    damage(run);
    expect(await room.prune()).toMatchObject({ status: 'succeeded', counts: { removed: 2 } });
  });

  it('hides no other reader from a start', async () => {
    const [first, second] = await twoDays();
    damage(await room.begin(verifying(first.id)));
    const other = await room.begin(verifying(second.id));
    const deps = room.deps();
    const readers = await readersInProgress(deps, jobContextOf(deps, 'nightly'), client as unknown as DurableClient);
    expect(readers.map(({ id }) => id)).toEqual([other.id]);
    expect(room.warned).toEqual(['reader-unknown']);
  });
});

it.each(['the reader comes while a prune begins', 'a prune begins while the reader comes'])(
  'I5: at whichever request of the other, %s, one of them finds the other',
  async (which) => {
    let refused = 0;
    let stopped = 0;
    for (let at = 0; ; at++) {
      room = new Vault();
      room.jobs = [retaining()];
      const [first] = await twoDays();
      const prune = await room.begin(carrying(await room.plan()));
      const { registered, isOver } = await meet(which.startsWith('the reader'), at, first, prune);
      if (registered && 'lock' in registered) {
        expect(await room.lost(first), `request ${at}`).toEqual([]);
        stopped++;
      } else refused++;
      if (isOver) break;
    }
    expect(Math.min(refused, stopped)).toBeGreaterThan(0);
  },
);

const carrying = ({ id, plan }: RunSummary) =>
  ({ mode: 'prune', prune: { plan: { run: id, hash: plan!.hash } } }) as const;

/** Lets one of the two happen, as a whole, before the request of this number of the other. */
async function meet(readerComes: boolean, at: number, first: RunSummary, prune: RunRef) {
  let count = 0;
  let isMet = false;
  let registered: Registered | undefined;
  room.before = async () => {
    if (isMet || count++ < at) return;
    isMet = true;
    if (readerComes) registered = await register(first.id);
    else await room.work(prune);
  };
  if (readerComes) await room.work(prune);
  else registered = await register(first.id, new ControlStore(room.deps().blobs('VAULT')));
  const isOver = !isMet;
  if (isOver && readerComes) registered = await register(first.id).catch(() => undefined);
  room.before = () => {};
  if (isOver && !readerComes) await room.work(prune);
  return { registered, isOver };
}

test('I5: an unmark keeps a restore point whose margin is over from a prune that begins', async () => {
  room.jobs = [retaining({ marginHours: 1 })];
  const [first] = await twoDays();
  await room.prune();
  room.pass(2);
  const plan = await room.plan();
  expect(plan.plan!.expired).toEqual([first.id]);
  const prune = await room.begin(carrying(plan));
  room.before = async ({ operation, name }) => {
    if (operation !== 'PutBlob' || name !== notesPath(first)) return;
    room.before = () => {};
    await room.control.changeNotes(first, ({ removed: _, ...notes }) => notes);
  };
  expect(await room.work(prune)).toMatchObject({ status: 'failed', problems: [{ code: 'plan-stale' }] });
  expect(await room.lost(first)).toEqual([]);
  expect(await room.notes(first.id)).toEqual({});
});

test('F28: the verification after a backup begins once, and beside a later backup', async () => {
  room.jobs = [jobOf('nightly', { verify: { afterRun: 'quick', kind: 'quick', portion: '100%' } })];
  room.put('a', 'a');
  const run = await room.begin({ mode: 'incremental' });
  await room.work(run);
  const later = await room.begin({ mode: 'full' });
  const { beginNext } = makeActivities(room.deps());
  const begin = () => beginNext({ run }) as Promise<{ next?: RunRef }>;
  const { next } = await begin();
  expect(next).toMatchObject({ mode: 'verify', trigger: 'run', follows: run.id });
  expect(await begin()).toEqual({ next });
  expect((await room.control.openReaders('nightly')).locks.map(({ value }) => value.run)).toEqual([next]);
  expect(await room.work(next!)).toMatchObject({ status: 'succeeded' });
  expect(await begin()).toEqual({});
  expect(await room.work(later)).toMatchObject({ status: 'succeeded', restorePoint: true });
});
