import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, expect, test } from 'vitest';
import type { JobOverview } from '#api/overview.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { overviewHandler } from '#functions/watch/overview.ts';
import { watchHandler } from '#functions/watch/watch.ts';
import { catalogRowOf, startedRow } from '#storage/catalog.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { MemoryCatalog, type Rows } from '../../../../prove/memory/memory-catalog.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';

let vault: Vault;
let deps: Dependencies;
let rows: Rows;
let isCatalogDown: boolean;
let queries: number;

beforeEach(() => {
  vault = new Vault();
  vault.jobs = [jobOf('nightly', { schedule: '0 0 0 * * *' })];
  rows = new Map();
  isCatalogDown = false;
  queries = 0;
  const given = vault.deps();
  const refuse = () => {
    queries++;
    if (isCatalogDown) throw new StorageError('unreachable', 'no table service');
  };
  deps = {
    ...given,
    configuration: {
      ...given.configuration,
      notify: { every: '0 */5 * * * *', channels: [], send: [], pings: new Map(), severity: {}, names: true },
    },
    limits: { ...given.limits, sharedMs: 2_000 },
    catalog: (alias: string) => new MemoryCatalog(alias, rows, undefined, refuse),
    telemetry: { ...given.telemetry, watchPassed: () => {}, conditionChanged: () => {} },
    notifier: { send: async () => {}, ping: async () => {} },
  } as unknown as Dependencies;
});

const note = (summary: Parameters<typeof catalogRowOf>[0]) => rows.set(summary.id, catalogRowOf(summary));

interface Overview {
  jobs: JobOverview[];
  vaults: { alias: string; held: object | null }[];
}

async function ask(handler = overviewHandler(deps), status?: { runtimeStatus: string }): Promise<Overview> {
  const client = { getStatus: async () => status } as unknown as DurableClient;
  const answer = await handler(httpRequest(), client, {} as InvocationContext);
  expect(answer.status).toBe(200);
  return JSON.parse(String(answer.body));
}

const stripOf = async (handler?: ReturnType<typeof overviewHandler>) => {
  const { strip } = (await ask(handler)).jobs[0]!;
  return strip && Object.fromEntries(strip.map(({ day, ...of }) => [day, of]));
};

test('a job has a strip of thirty days, with what it missed since the watch knows it', async () => {
  vault.put('a', 'text');
  note(await vault.backup());
  await watchHandler(deps)();
  // Three nights at which nothing ran.
  vault.pass(72);
  note(await vault.backup());
  const strip = (await stripOf())!;
  expect(Object.keys(strip)).toHaveLength(30);
  expect(strip).toMatchObject({
    '2026-04-30': { worst: null, runs: 0, missed: null },
    '2026-05-01': { worst: 'succeeded', runs: 1, missed: 0 },
    '2026-05-02': { worst: null, runs: 0, missed: 1 },
    '2026-05-03': { worst: null, runs: 0, missed: 1 },
    '2026-05-04': { worst: 'succeeded', runs: 1, missed: 0 },
  });
});

test('a run that ended since the past was read is in the strip', async () => {
  const handler = overviewHandler(deps);
  vault.put('a', 'text');
  const first = await vault.backup();
  note(first);
  const day = first.startedAt.slice(0, 10);
  expect((await stripOf(handler))![day]).toMatchObject({ runs: 1, worst: 'succeeded' });
  rows.set('later', { ...catalogRowOf(first), id: 'later', status: 'failed' });
  vault.clock.app += 20_000;
  const asked = queries;
  expect((await stripOf(handler))![day]).toMatchObject({ runs: 2, worst: 'failed' });
  expect(queries - asked).toBe(1);
});

test('a strip has the backups of its job alone, and misses nothing while that is paused', async () => {
  vault.put('a', 'text');
  const first = await vault.backup();
  note(first);
  await watchHandler(deps)();
  await new WatchStore(deps.blobs('VAULT')).changePause('nightly', () => ({ at: first.startedAt, reason: 'x' }));
  const row = catalogRowOf(first);
  rows.set('dry', { ...row, id: 'dry', dryRun: true, status: 'failed' });
  rows.set('other', { ...row, id: 'other', job: 'other', status: 'failed' });
  rows.set('verify', { ...row, id: 'verify', mode: 'verify', status: 'failed' });
  vault.pass(48);
  const strip = (await stripOf())!;
  expect(strip['2026-05-01']).toEqual({ worst: 'succeeded', runs: 1, missed: 0 });
  expect(strip['2026-05-02']).toMatchObject({ missed: 0 });
});

test('a run in progress is shown with how far it is', async () => {
  const run = await vault.begin({ mode: 'full' });
  rows.set(run.id, startedRow(run));
  const { jobs } = await ask(undefined, { runtimeStatus: 'Running' });
  expect(jobs[0]!.running).toMatchObject([{ id: run.id, phase: 'starting' }]);
});

test('without a catalog, nothing is known of the past', async () => {
  vault.put('a', 'text');
  note(await vault.backup());
  isCatalogDown = true;
  const { jobs, vaults } = await ask();
  expect(jobs).toMatchObject([{ strip: null, held: null, restorePoint: { blobs: 1 }, size: { blobs: 1, bytes: 4 } }]);
  expect(vaults).toEqual([{ alias: 'VAULT', held: null }]);
});

test('a vault holds what the last plans of its jobs say, and nothing is said before there is one', async () => {
  vault.put('a', 'text');
  note(await vault.backup());
  expect(await ask()).toMatchObject({ jobs: [{ held: null }], vaults: [{ held: null }] });
  const plan = await vault.plan();
  note(plan);
  const held = { blobs: 1, kept: 0, bytes: 4, at: plan.startedAt };
  expect(await ask()).toMatchObject({ jobs: [{ held }], vaults: [{ alias: 'VAULT', held }] });
  // A row of an earlier version.
  const { held: _, ...row } = catalogRowOf(plan);
  rows.set(plan.id, row);
  expect(await ask()).toMatchObject({ jobs: [{ held: null }], vaults: [{ held: null }] });
});

test('a strip of more runs than are read knows the newest days only', async () => {
  vault.put('a', 'text');
  const row = catalogRowOf(await vault.backup());
  const start = Date.parse('2026-05-01T00:00:00Z');
  for (let index = 0; index < 6_000; index++) {
    const startedAt = new Date(start - index * 5 * 60_000).toISOString();
    rows.set(`${index}`, { ...row, id: `${index}`, startedAt, finishedAt: startedAt });
  }
  const strip = (await stripOf())!;
  expect(queries).toBeLessThan(10);
  expect(strip['2026-04-29']).toMatchObject({ runs: 288, worst: 'succeeded' });
  expect(strip['2026-04-03']).toEqual({ worst: null, runs: null, missed: null });
});

test('a run that no schedule awaits is shown as silent, too', async () => {
  vault.put('a', 'text');
  note(await vault.backup());
  const run = await vault.begin({ mode: 'full', dryRun: true });
  rows.set(run.id, startedRow(run));
  const running = async () => (await ask(undefined, { runtimeStatus: 'Running' })).jobs[0]!.running;
  expect(await running()).toMatchObject([{ id: run.id, isSilent: false }]);
  vault.pass(1);
  expect(await running()).toMatchObject([{ id: run.id, isSilent: true }]);
});
