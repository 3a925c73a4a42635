import type { InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Dependencies } from '#app/dependencies.ts';
import { lockPath } from '#domain/run/control-paths.ts';
import { acquire } from '#domain/run/lock.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { Handler } from '#functions/http/answering.ts';
import { showMetricsHandler } from '#functions/watch/show-metrics.ts';
import { watchHandler } from '#functions/watch/watch.ts';
import { catalogRowOf } from '#storage/catalog.ts';
import { StorageError } from '#storage/storage-error.ts';
import { MemoryCatalog, type Rows } from '../../../../prove/memory/memory-catalog.ts';
import { parseExposition } from '../../../support/app/exposition.ts';
import { httpRequest } from '../../../support/builders/http-request.ts';
import { jobOf, Vault } from '../../../support/builders/prune-vault.ts';
import { runRef } from '../../../support/builders/run-ref.ts';

vi.stubGlobal('STRONGROOM_VERSION', '1.2.3');

let vault: Vault;
let deps: Dependencies;
let rows: Rows;
/** The requests of the app, as `GetBlob VAULT`. */
let requests: string[];

beforeEach(() => {
  vault = new Vault();
  vault.jobs = [jobOf('nightly', { schedule: '0 0 0 * * *' })];
  rows = new Map();
  requests = [];
  const given = vault.deps();
  deps = {
    ...given,
    configuration: {
      ...given.configuration,
      accounts: new Map([
        ['SOURCE', {}],
        ['VAULT', {}],
      ]),
      notify: { every: '0 */5 * * * *', channels: [], send: [], pings: new Map(), severity: {}, names: true },
    },
    catalog: (alias: string) =>
      new MemoryCatalog(alias, rows, async (call, carryOut) => {
        await vault.before({ ...call, alias });
        return carryOut();
      }),
    telemetry: { ...given.telemetry, watchPassed: () => {}, conditionChanged: () => {} },
    notifier: { send: async () => {}, ping: async () => {} },
  } as unknown as Dependencies;
  vault.before = ({ operation, alias }) => requests.push(`${operation} ${alias}`);
});

async function backUp(): Promise<RunSummary> {
  const summary = await vault.backup();
  rows.set(summary.id, catalogRowOf(summary));
  return summary;
}

/** What the host of orchestrations answers. */
let getStatus: () => Promise<unknown> = async () => undefined;

async function scrape(handler: Handler = showMetricsHandler(deps)) {
  const client = { getStatus: () => getStatus() } as unknown as DurableClient;
  const answer = await handler(httpRequest(), client, {} as InvocationContext);
  expect(answer.status).toBe(200);
  return { text: String(answer.body), headers: answer.headers as Record<string, string> };
}

/** The values of a metric, by the values of its labels other than the job. */
async function valuesOf(name: string, handler?: Handler): Promise<Record<string, number>> {
  const found = parseExposition((await scrape(handler)).text).get(`strongroom_${name}`)?.samples ?? [];
  return Object.fromEntries(
    found.map(({ labels: { job_name, ...labels }, value }) => [Object.values(labels).join(' ') || job_name, value]),
  );
}

test('a page of metrics says what the vault knows, whichever process is asked, and writes nothing', async () => {
  vault.put('a', 'text');
  const { id, startedAt, finishedAt } = await backUp();
  await vault.verify(id);
  const writes: string[] = [];
  vault.before = ({ operation, writes: isWrite }) => isWrite && writes.push(operation);
  const { text, headers } = await scrape();
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect((await scrape()).text).toBe(text);
  expect(await valuesOf('last_run_status')).toMatchObject({ 'backup succeeded': 1, 'backup failed': 0 });
  expect(await valuesOf('last_run_copied_bytes')).toEqual({ backup: 4 });
  expect(await valuesOf('last_run_ended_timestamp_seconds')).toEqual({ backup: Date.parse(finishedAt!) / 1000 });
  expect(await valuesOf('job_restore_point_timestamp_seconds')).toEqual({ nightly: Date.parse(startedAt) / 1000 });
  expect(Object.keys(await valuesOf('job_verified_timestamp_seconds'))).toEqual(['deep']);
  expect((await valuesOf('last_run_cost'))['backup USD']).toBeGreaterThan(0);
  expect(await valuesOf('job_next_timestamp_seconds')).toEqual({ backup: Date.parse('2026-05-02T00:00:00Z') / 1000 });
  expect(await valuesOf('account_up')).toEqual({ SOURCE: 1, VAULT: 1 });
  expect(writes).toEqual([]);
});

test('ten scrapes cost what one does, and a later one asks again', async () => {
  await backUp();
  const handler = showMetricsHandler(deps);
  requests.length = 0;
  await scrape(handler);
  expect(requests.toSorted()).toEqual([
    'GetBlob VAULT', // the state of the watch
    'GetBlob VAULT', // pauses
    'GetBlob VAULT', // starts that were not made
    'GetBlob VAULT', // the lock of the job
    'GetBlobProperties VAULT', // whether its newest restore point has its summary
    'ListBlobs VAULT', // whether the vault was lost, as the watch has no state yet
    'ListBlobs VAULT', // the notes of its restore points
    'ListContainers SOURCE',
    'QueryEntities VAULT', // the catalog
    'QueryEntities VAULT', // earlier prunes and restores
  ]);
  const { length } = requests;
  await Promise.all(Array.from({ length: 10 }, () => scrape(handler)));
  expect(requests).toHaveLength(length);
  vault.clock.app += 16_000;
  await scrape(handler);
  // Those are asked for once in five minutes.
  expect(requests).toHaveLength(2 * length - 1);
  vault.clock.app += 300_000;
  await scrape(handler);
  expect(requests).toHaveLength(3 * length - 1);
});

test('a vault shows what it holds once each of its jobs has planned a prune', async () => {
  vault.jobs.push(jobOf('weekly', { source: { ...vault.jobs[0]!.source, containers: ['more'] } }));
  vault.source.createContainer('more');
  vault.put('a', 'text');
  vault.put('b', 'longer', 'more');
  const plan = async (job: string) => {
    const made = await vault.plan(job);
    rows.set(made.id, catalogRowOf(made));
    return made;
  };
  await backUp();
  const first = await plan('nightly');
  expect(await valuesOf('vault_bytes')).toEqual({ VAULT: 4 });
  const other = await vault.backup('incremental', 'weekly');
  rows.set(other.id, catalogRowOf(other));
  expect(await valuesOf('vault_bytes')).toEqual({});
  await plan('weekly');
  expect(await valuesOf('vault_bytes')).toEqual({ VAULT: 10 });
  expect(await valuesOf('vault_objects')).toEqual({ 'VAULT blobs': 2, 'VAULT kept': 0 });
  expect(await valuesOf('vault_counted_timestamp_seconds')).toEqual({ VAULT: Date.parse(first.startedAt) / 1000 });
});

test('the last restore is shown, however old, and no dry run or one in progress', async () => {
  vault.put('a', 'text');
  const backup = await backUp();
  const restore = (id: string, more: object) => {
    const row = { ...catalogRowOf(backup), id, mode: 'restore', startedAt: `2026-04-0${id}T00:00:00.000Z`, ...more };
    rows.set(id, row as never);
  };
  restore('1', { finishedAt: '2026-04-01T00:00:01.000Z', status: 'succeeded' });
  restore('2', { finishedAt: '2026-04-02T00:00:02.000Z', status: 'failed' });
  restore('3', { finishedAt: '2026-04-03T00:00:03.000Z', status: 'succeeded', dryRun: true });
  restore('4', { finishedAt: undefined, status: 'running' });
  for (let index = 0; index < 300; index++) {
    const id = `other-${index}`;
    rows.set(id, { ...catalogRowOf(backup), id, job: 'other' });
  }
  expect(await valuesOf('last_run_status')).toMatchObject({ 'restore failed': 1, 'restore succeeded': 0 });
  expect((await valuesOf('last_success_timestamp_seconds')).restore).toBe(Date.parse('2026-04-01T00:00:01Z') / 1000);
});

test('a run that the newest rows lack is read from its summary, once', async () => {
  vault.put('a', 'text');
  const first = await backUp();
  await watchHandler(deps)();
  for (let count = 0; count < 300; count++) {
    const startedAt = new Date(vault.clock.app + count).toISOString();
    const id = `other-${count}`;
    rows.set(id, { ...catalogRowOf(first), id, job: 'other', startedAt });
  }
  const handler = showMetricsHandler(deps);
  requests.length = 0;
  expect(await valuesOf('last_run_copied_bytes', handler)).toEqual({ backup: 4 });
  const { length } = requests;
  vault.clock.app += 16_000;
  expect(await valuesOf('last_success_timestamp_seconds', handler)).toEqual({
    backup: Date.parse(first.finishedAt!) / 1000,
  });
  // Neither its summary nor earlier prunes and restores are read again.
  expect(requests.length - length).toBe(length - 2);
  // Without the summary, what the watch keeps is still there.
  rows.clear();
  vault.before = ({ operation, name }) => {
    if (operation === 'GetBlob' && name?.includes('/run.json')) throw new StorageError('damaged', 'x');
  };
  expect(await valuesOf('last_run_status')).toMatchObject({ 'backup succeeded': 1 });
  expect(await valuesOf('last_run_copied_bytes')).toEqual({});
});

test('a run that failed is not the newest that succeeded', async () => {
  const { finishedAt } = await backUp();
  const failed = { ...catalogRowOf(await backUp()), status: 'failed' };
  rows.set(failed.id, failed);
  expect(await valuesOf('last_run_status')).toMatchObject({ 'backup succeeded': 0, 'backup failed': 1 });
  expect(await valuesOf('last_success_timestamp_seconds')).toEqual({ backup: Date.parse(finishedAt!) / 1000 });
  expect(await valuesOf('condition')).toEqual({ 'failed/backup/nightly failed error': 1 });
  expect(await valuesOf('open_conditions')).toMatchObject({ error: 1, warning: 0 });
  Object.assign(deps.configuration.notify, { severity: { failed: 'critical' } });
  expect(await valuesOf('condition')).toEqual({ 'failed/backup/nightly failed critical': 1 });
});

test('a vault that does not answer is down, and the page is still there', async () => {
  await backUp();
  vault.before = ({ alias }) => {
    if (alias === 'VAULT') throw new StorageError('unreachable', 'no connection');
  };
  expect(await valuesOf('account_up')).toEqual({ SOURCE: 1, VAULT: 0 });
  expect(await valuesOf('job_readable')).toEqual({ nightly: 0 });
  expect(await valuesOf('last_run_status')).toEqual({});
});

test('a vault that answers late is down, before the collector gives no more time', async () => {
  vi.useFakeTimers();
  try {
    vault.before = ({ alias }) => (alias === 'VAULT' ? new Promise(() => {}) : undefined);
    const found = valuesOf('account_up');
    await vi.advanceTimersByTimeAsync(9_000);
    expect(await found).toEqual({ SOURCE: 1, VAULT: 0 });
  } finally {
    vi.useRealTimers();
  }
});

test('what the watch noted of accounts and channels is shown, unless another app noted it', async () => {
  await backUp();
  vault.before = ({ alias }) => {
    if (alias === 'SOURCE') throw new StorageError('unreachable', 'no connection');
  };
  for (let pass = 0; pass < 3; pass++) await watchHandler(deps)();
  expect(await valuesOf('condition')).toEqual({ 'out-of-reach/SOURCE out-of-reach error SOURCE': 1 });
  deps.configuration.accounts.delete('SOURCE');
  expect(await valuesOf('condition')).toEqual({});
});

async function beginRun(): Promise<string> {
  const now = new Date(vault.clock.app);
  const run = runRef({ id: 'nightly-20260501T120000Z-aaaaaa', job: 'nightly', startedAt: now.toISOString() });
  await vault.control.writeJson(lockPath('nightly'), acquire(undefined, run, now), 'absent');
  return run.startedAt;
}

test('a run in progress is shown without its progress if the host of orchestrations fails', async () => {
  const startedAt = await beginRun();
  const failed: string[] = [];
  deps.telemetry.failure = (what, error) => failed.push(`${what} ${(error as Error).message}`);
  getStatus = async () => {
    throw new Error('no task hub');
  };
  expect(await valuesOf('run_started_timestamp_seconds')).toEqual({ backup: Date.parse(startedAt) / 1000 });
  expect(await valuesOf('run_progress_ratio')).toEqual({});
  expect(failed).toContain('metrics no task hub');
});

test('a run whose progress takes long does not make its vault seem down', async () => {
  await beginRun();
  vi.useFakeTimers();
  try {
    getStatus = () => new Promise(() => {});
    const handler = showMetricsHandler(deps);
    const found = valuesOf('account_up', handler);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(await found).toEqual({ SOURCE: 1, VAULT: 1 });
    expect(await valuesOf('runs_in_progress', handler)).toMatchObject({ backup: 1 });
  } finally {
    vi.useRealTimers();
  }
});
