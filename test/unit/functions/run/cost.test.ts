import { expect, test } from 'vitest';
import { EXAMPLE_PRICES } from '#domain/cost/example-prices.ts';
import type { Usage } from '#domain/cost/usage.ts';
import { getRunHandler } from '#functions/run/get-run.ts';
import { listRunsHandler } from '#functions/run/list-runs.ts';
import { showCostHandler } from '#functions/run/show-cost.ts';
import type { CatalogRow } from '#storage/catalog.ts';
import { PointVault } from '../../../support/builders/point-vault.ts';

const USAGE: Usage = {
  requests: { CopyBlobFromURL: 1000, ListBlobs: 100 },
  moved: [{ from: 'Cool', to: 'Cool', blobs: 1000, bytes: 2 ** 30 }],
};
/** 1000 writes and reads of Cool, 1 GB of retrieval, and 100 listings. */
const COST = 0.01 + 0.001 + 0.01 + 0.0005;

/** The clock of the vault is at 2026-11-22T12:00:00Z. */
function rowAt(startedAt: string, more: Partial<CatalogRow> = {}): CatalogRow {
  const id = `nightly-${startedAt.replace(/[-:]|\.\d+/g, '')}-aaaaaa`;
  const row = { id, job: 'nightly', mode: 'incremental', trigger: 'timer', status: 'succeeded', dryRun: false };
  return { ...row, startedAt, usage: USAGE, ...more };
}

test('the costs of a month are those of the runs that began in the last 30 days, by job', async () => {
  const vault = new PointVault(['nightly', 'weekly']);
  vault.rows.push(
    rowAt('2026-11-22T11:00:00.000Z', { status: 'running' }),
    rowAt('2026-11-21T23:30:00.000Z'),
    rowAt('2026-11-20T23:30:00.000Z', { job: 'weekly' }),
    rowAt('2026-11-19T23:30:00.000Z'),
    rowAt('2026-11-18T23:30:00.000Z', { usage: undefined as never }),
    rowAt('2026-10-23T11:59:59.999Z'),
  );
  const { status, body } = await vault.ask(showCostHandler);
  expect(status).toBe(200);
  const { currency, asOf, region, source } = EXAMPLE_PRICES;
  expect(body).toMatchObject({ currency, asOf, region, source, isComplete: true, to: '2026-11-22T12:00:00.000Z' });
  expect(
    body.jobs.map((each: { job: string; runs: number; unpriced: number }) => [each.job, each.runs, each.unpriced]),
  ).toEqual([
    ['nightly', 3, 1],
    ['weekly', 1, 0],
  ]);
  expect(body.jobs[0].total).toBeCloseTo(2 * COST, 9);
  expect(body.total).toBeCloseTo(3 * COST, 9);
  expect(body.jobs[1].unknown.map(({ what }: { what: string }) => what)).toEqual(['data transfer between regions']);
  expect((await vault.ask(showCostHandler, { query: { job: 'weekly' } })).body.jobs).toHaveLength(1);
  expect((await vault.ask(showCostHandler, { query: { job: 'other' } })).status).toBe(404);
});

test('the costs of a month take one request for 500 runs, at most 20, and no summary', async () => {
  const vault = new PointVault();
  const start = Date.parse('2026-11-22T11:00:00.000Z');
  for (let run = 0; run < 12_000; run++) vault.rows.push(rowAt(new Date(start - run * 60_000).toISOString()));
  let asked = 0;
  const { list } = vault.deps.catalog('VAULT');
  const deps = {
    ...vault.deps,
    catalog: () => ({ list: (options: Parameters<typeof list>[0]) => ++asked && list(options) }),
  };
  const ask = (make: typeof showCostHandler) => vault.ask(() => make(deps as never));
  expect((await ask(showCostHandler)).body).toMatchObject({ isComplete: false, jobs: [{ runs: 10_000 }] });
  expect(asked).toBe(20);
  vault.rows.splice(700);
  asked = 0;
  expect((await ask(showCostHandler)).body).toMatchObject({ isComplete: true, jobs: [{ runs: 700 }] });
  expect(asked).toBe(2);
  expect(vault.read).toEqual([]);
});

test('a list of runs does not show what costs are computed from', async () => {
  const vault = new PointVault();
  await vault.publish(ID, {}, { requests: USAGE.requests });
  expect(vault.rows[0]).toHaveProperty('usage');
  expect((await vault.ask(listRunsHandler)).body.runs[0]).not.toHaveProperty('usage');
});

const ID = 'nightly-20261121T233000Z-aaaaaa';
const containers = [
  {
    container: 'images',
    destination: 'imagesbackup',
    status: 'succeeded',
    counts: {},
    bytes: { listed: 2 ** 30, copied: 2 ** 30 },
    transfers: { 'Cool/Cool': [1000, 2 ** 30] },
    requests: {},
    problems: [],
  },
];

async function costOfRun(more: object, configuration: object = {}) {
  const vault = new PointVault();
  Object.assign(vault.deps.configuration.jobs[0]!, { schedule: '0 30 23 * * *', timeZone: 'UTC', mode: 'full' });
  Object.assign(vault.deps.configuration, configuration);
  await vault.publish(ID, {}, { requests: USAGE.requests, containers, ...more } as object);
  return (await vault.ask(getRunHandler, { id: ID })).body.cost;
}

test('a report says what its run costs, what keeping its copies costs, and what a month of its schedule costs', async () => {
  const cost = await costOfRun({});
  expect(cost.total).toBeCloseTo(COST, 9);
  expect(cost.stored).toMatchObject({ total: 0.0152, unknown: [] });
  expect(cost.perMonth.runs).toBe(30);
  expect(cost.perMonth.total).toBeCloseTo(30 * COST, 9);
  expect(cost).not.toHaveProperty('planned');
});

test('a run in another mode than that of the schedule has no costs of a month', async () => {
  expect(await costOfRun({ mode: 'incremental' })).not.toHaveProperty('perMonth');
  expect(await costOfRun({ status: 'cancelled' })).not.toHaveProperty('perMonth');
});

test('the report of a dry run says what the run would cost in addition, and a month of both', async () => {
  const cost = await costOfRun({ dryRun: true, requests: { ListBlobs: 100 } });
  expect(cost.total).toBe(0.0005);
  expect(cost.planned.total).toBeCloseTo(COST - 0.0005, 9);
  expect(cost.planned.stored.total).toBe(0.0152);
  expect(cost.perMonth.total).toBeCloseTo(30 * COST, 9);
});

test('the dry run of a restore from the archive tier has the costs and the hours of both priorities', async () => {
  const archived = [{ ...containers[0], transfers: { 'Archive/': [1000, 2 ** 30] } }];
  const restore = { containers: [], rehydrate: 'high' };
  const { planned } = await costOfRun({ mode: 'restore', dryRun: true, containers: archived, restore });
  // Besides the rehydration: 1000 writes and 1000 reads of Hot.
  expect(planned.rehydration).toEqual({
    blobs: 1000,
    standard: { total: 0.5254, hours: 15 },
    high: { total: 5.1054, hours: 1 },
  });
  expect(planned.total).toBe(planned.rehydration.high.total);
});

test('archived blobs that a dry run leaves out are named, and not priced', async () => {
  const problems = [{ code: 'content-archived', container: 'images', count: 7, message: 'm', hint: 'h' }];
  const of = (restore: object) => costOfRun({ mode: 'restore', dryRun: true, containers: [], restore, problems });
  const leftOut = { what: 'blobs in the archive tier', quantity: 7, why: expect.stringContaining('"rehydrate"') };
  expect((await of({ containers: [] })).planned.unknown).toEqual([leftOut]);
});

test('a dry run names tables as unknown, and that of a prune has no costs of its plan', async () => {
  const tables = [{ ...containers[0], container: 'table.orders', transfers: undefined }];
  const cost = await costOfRun({ dryRun: true, containers: tables });
  expect(cost.planned).toMatchObject({ total: 0, unknown: [{ what: 'tables' }] });
  expect(await costOfRun({ mode: 'prune', dryRun: true })).not.toHaveProperty('planned');
});

test('prices of the configuration replace the example', async () => {
  const prices = { currency: 'EUR', asOf: '2026-10-01', region: 'r', source: 's', tiers: {}, list: 1 };
  expect(await costOfRun({}, { prices })).toMatchObject({ currency: 'EUR', total: 0.01, asOf: '2026-10-01' });
});

test('a summary that lacks what costs are computed from has no costs, and is shown', async () => {
  const cost = await costOfRun({ requests: undefined, containers: [{ container: 'images', problems: [] }] });
  expect(cost).toMatchObject({ total: 0, parts: [], unknown: [] });
});
