import { readFileSync } from 'node:fs';
import type { TableEntity } from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { lookInto, makeContainer } from '../../support/builders/collection.ts';
import { controlNames, EDGE_VALUES, rawEntities, seed, tableInPoint, tableOf } from '../../support/builders/tables.ts';

/** One large partition, and some small ones. */
const skewed = (count: number): TableEntity[] =>
  Array.from({ length: count }, (_, n) => ({
    partitionKey: n % 6 > 0 ? 'large' : `p${n % 7}`,
    rowKey: String(n).padStart(6, '0'),
    n,
  })).sort((a, b) => (a.partitionKey < b.partitionKey ? -1 : 1));

/** A job of some tables to a vault of its own, with its own source. */
async function stage(job: object = {}, more: object = {}) {
  const [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
  const app = await startStrongroom({
    source: source.connectionString,
    vault: vault.connectionString,
    job: {
      source: { account: 'SOURCE', tables: ['*'], ...job },
      destination: { account: 'VAULT', container: '{container}' },
    },
    limits: { sliceBlobs: 500 },
    ...more,
  });
  const held = async (run: { id: string; job: string }, table: string) =>
    (await tableInPoint(vault.connectionString, run, table)).entities;
  const live = (table: string) => rawEntities(source.connectionString, table);
  const table = (name: string) => tableOf(source.connectionString, name);
  const fill = (name: string, entities: TableEntity[]) => seed(source.connectionString, name, entities);
  return { source, vault, app, held, live, table, fill };
}
type Stage = Awaited<ReturnType<typeof stage>>;

const NOTHING_LOST = { deleted: 0, skipped: 0, failed: 0, notSelected: 0 };
const show = (report: unknown) => JSON.stringify(report, undefined, 1);
const rows = (count: number): TableEntity[] =>
  Array.from({ length: count }, (_, n) => ({ partitionKey: 'p', rowKey: String(n).padStart(4, '0'), n }));

describe.concurrent('backing up tables', () => {
  describe('with one host', { concurrent: false }, () => {
    let at: Stage;
    beforeAll(async () => {
      at = await stage();
    });
    afterAll(() => at.app.host.stop());

    it('F16: a full backup writes every entity into a file, as the service sent it', async () => {
      await at.fill('Edges', [{ partitionKey: "it's", rowKey: 'a b', ...EDGE_VALUES } as never]);
      await at.fill('Empty', []);
      await at.fill('Skewed', skewed(3_000));
      const report = await at.app.run({ mode: 'full' });
      expect(report, show(report)).toMatchObject({
        status: 'succeeded',
        counts: { listed: 3_001, copied: 3_001, failed: 0 },
      });
      for (const table of ['Edges', 'Empty', 'Skewed']) {
        expect(await at.held(report, table), table).toEqual(await at.live(table));
      }
      // Otherwise the comparison would compare nothing.
      expect((await at.held(report, 'Edges')).get("it's/a b")).toMatchObject({
        whole: [undefined, '1.0'],
        nan: ['"Edm.Double"', '"NaN"'],
        ticks: ['"Edm.DateTime"', '"2026-11-21T12:34:56.7654321Z"'],
        int64: ['"Edm.Int64"', '"-9223372036854775808"'],
      });
      const { segments } = await tableInPoint(at.vault.connectionString, report, 'Skewed');
      expect(segments.length).toBeGreaterThan(6);
    });

    it('an incremental backup writes the entities that changed, and nothing else', async () => {
      const table = at.table('Skewed');
      await table.updateEntity({ partitionKey: 'large', rowKey: '000007', n: -7 }, 'Replace');
      await table.createEntity({ partitionKey: 'new', rowKey: '1', n: 1 });
      const report = await at.app.run({ mode: 'incremental' });
      expect(report, show(report)).toMatchObject({
        status: 'succeeded',
        counts: { listed: 3_002, copied: 2, unchanged: 3_000, failed: 0 },
      });
      expect(await at.held(report, 'Skewed')).toEqual(await at.live('Skewed'));
      const again = await at.app.run({ mode: 'incremental' });
      expect(again.counts).toMatchObject({ listed: 3_002, copied: 0, unchanged: 3_002 });
      expect(await at.held(again, 'Skewed')).toEqual(await at.live('Skewed'));
    });

    it('a dry run counts entities, and writes neither files nor a manifest', async () => {
      await at.table('Skewed').updateEntity({ partitionKey: 'large', rowKey: '000008', n: -8 }, 'Replace');
      const written = async () =>
        (await controlNames(at.vault.connectionString)).filter((name) => name.startsWith('jobs/nightly/tables/'));
      const before = await written();
      const dry = await at.app.run({ mode: 'incremental', dryRun: true });
      expect(dry, show(dry)).toMatchObject({ status: 'succeeded', counts: { listed: 3_002, copied: 0, planned: 1 } });
      const all = await at.app.run({ mode: 'full', dryRun: true });
      expect(all, show(all)).toMatchObject({
        status: 'succeeded',
        counts: { listed: 3_002, copied: 0, planned: 3_002 },
      });
      expect(await written()).toEqual(before);
      expect((await at.app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 1, unchanged: 3_001 });
    });

    it('F24, I7: a backup during writes holds each entity as it was at some moment of the run', async () => {
      const table = at.table('Skewed');
      /** Every `n` that an entity has had before the runs and during them. */
      const versions = new Map<string, Set<string>>();
      for (const [name, { n }] of await at.live('Skewed')) versions.set(name, new Set([n![1]]));
      const touched = new Set<string>();
      let writing = true;
      const writer = async (offset: number) => {
        for (let n = offset; writing; n += 7) {
          const rowKey = String(n % 3_000).padStart(6, '0');
          const partitionKey = (n % 3_000) % 6 > 0 ? 'large' : `p${(n % 3_000) % 7}`;
          const name = `${partitionKey}/${rowKey}`;
          versions.get(name)!.add(String(100_000 + n));
          touched.add(name);
          await table.upsertEntity({ partitionKey, rowKey, n: 100_000 + n }, 'Replace');
        }
      };
      const writers = [0, 1, 2].map(writer);
      const reports = [await at.app.run({ mode: 'full' }), await at.app.run({ mode: 'incremental' })];
      writing = false;
      await Promise.all(writers);
      expect(touched.size).toBeGreaterThan(20);
      for (const report of reports) {
        expect(report.status, show(report)).toBe('succeeded');
        const held = await at.held(report, 'Skewed');
        expect([...held.keys()].sort()).toEqual([...versions.keys()].sort());
        for (const [name, { n }] of held) expect(versions.get(name), `${name} ${n}`).toContain(n![1]);
      }
      const quiet = await at.app.run({ mode: 'incremental' });
      expect(await at.held(quiet, 'Skewed')).toEqual(await at.live('Skewed'));
    });

    it('F10: a page that ends before an empty partition key is not the end of a table', async () => {
      const keys = Array.from({ length: 1_500 }, (_, n) => ({
        partitionKey: n < 1_200 ? '' : 'z',
        rowKey: `${n + 1000}`,
      }));
      await at.fill('Nameless', keys);
      const report = await at.app.run({ mode: 'full' });
      expect(report.status, show(report)).toBe('succeeded');
      expect((await at.held(report, 'Nameless')).size).toBe(1_500);
      expect((await at.app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0, failed: 0 });
      expect((await at.app.run({ mode: 'full' })).noLongerHeld).toEqual({ ...NOTHING_LOST });
    });
  });

  it('I1: one job backs up tables and containers, and a missing table is named and affects no other', async () => {
    const at = await stage({ containers: ['images'], tables: ['tenant*', 'Orders', 'nosuchtable'] });
    const { source, vault, app } = at;
    const images = await makeContainer(source.connectionString, 'images');
    await images.getBlockBlobClient('a.jpg').upload('abc', 3);
    for (const name of ['tenantA', 'tenantB', 'tenants', 'other', 'Orders', 'ordersOld']) await at.fill(name, rows(3));
    const report = await app.run({ mode: 'full' });
    expect(report, show(report)).toMatchObject({
      status: 'completed-with-failures',
      counts: { listed: 13, copied: 13, failed: 0 },
      problems: [{ code: 'table-not-found', container: 'table.nosuchtable', count: 0 }],
    });
    const statuses = Object.fromEntries(report.containers.map(({ container, status }) => [container, status]));
    expect(statuses).toEqual({
      ...{ images: 'succeeded', 'table.tenantA': 'succeeded', 'table.tenantB': 'succeeded' },
      ...{ 'table.tenants': 'succeeded', 'table.Orders': 'succeeded', 'table.nosuchtable': 'failed' },
    });
    for (const name of ['tenantA', 'tenantB', 'tenants', 'Orders']) {
      expect(await at.held(report, name), name).toEqual(await at.live(name));
    }
    expect(await lookInto(vault.connectionString, 'images')).toEqual(await lookInto(source.connectionString, 'images'));
    // With the table created, the retry reads it and takes over the rest.
    await at.fill('nosuchtable', rows(2));
    const retry = await app.retry(report.id);
    expect(retry, show(retry)).toMatchObject({ status: 'succeeded', counts: { listed: 2, copied: 2 } });
    for (const name of ['tenantA', 'Orders', 'nosuchtable']) {
      expect(await at.held(retry, name), name).toEqual(await at.live(name));
    }
    await app.host.stop();
  });

  it('I10: a run counts deleted entities, whether it reads a key range as a whole or not', async () => {
    const at = await stage({ tables: ['orders'], tableDeletions: true });
    const table = at.table('orders');
    await at.fill('orders', rows(95));
    /** Deletes and changes so many of the entities that are there. */
    const edit = async (deleted: number, changed: number) => {
      const names = [...(await at.live('orders')).keys()].map((name) => name.slice('p/'.length)).sort();
      for (const rowKey of names.slice(0, deleted)) await table.deleteEntity('p', rowKey);
      for (const rowKey of names.slice(deleted, deleted + changed))
        await table.updateEntity({ partitionKey: 'p', rowKey, n: -1 }, 'Replace');
    };
    const first = await at.app.run({ mode: 'incremental' });
    expect(first.noLongerHeld).toBeUndefined();
    expect(first.containers[0]!.counts).not.toHaveProperty('deleted');
    const expectCounts = async (mode: string, counts: object, deleted: number) => {
      const report = await at.app.run({ mode });
      expect(report, show(report)).toMatchObject({
        ...{ status: 'succeeded', problems: [], noLongerHeld: { ...NOTHING_LOST, deleted } },
        containers: [{ counts: { ...counts, deleted }, noLongerHeld: { ...NOTHING_LOST, deleted } }],
      });
      expect(await at.held(report, 'orders')).toEqual(await at.live('orders'));
    };
    await edit(31, 32);
    await table.createEntity({ partitionKey: 'p', rowKey: 'new', n: 1 });
    await expectCounts('incremental', { listed: 65, copied: 33, added: 1, changed: 32 }, 31);
    await edit(10, 0);
    await expectCounts('incremental', { listed: 55, copied: 0 }, 10);
    await edit(28, 5);
    await expectCounts('full', { listed: 27, copied: 27, changed: 5 }, 28);
    await expectCounts('incremental', { listed: 27, copied: 0 }, 0);
    await edit(27, 0);
    await expectCounts('full', { listed: 0, copied: 0 }, 27);
    await at.app.host.stop();
  });

  it('a job compares deletions only if configured, and otherwise reports that it did not', async () => {
    const jobOf = (name: string, tableDeletions: boolean) => ({
      ...{ name, source: { account: 'SOURCE', tables: ['orders'], tableDeletions }, destination: { account: 'VAULT' } },
    });
    const at = await stage({}, { jobs: [jobOf('without', false), jobOf('with', true)] });
    await at.fill('orders', rows(20));
    const full = {
      without: await at.app.run({ mode: 'full' }, 'without'),
      with: await at.app.run({ mode: 'full' }, 'with'),
    };
    for (const report of Object.values(full)) expect(report).toMatchObject({ status: 'succeeded', problems: [] });
    await at.table('orders').deleteEntity('p', '0003');
    await at.table('orders').deleteEntity('p', '0004');
    const without = await at.app.run({ mode: 'incremental' }, 'without');
    expect(without, show(without)).toMatchObject({
      status: 'succeeded',
      counts: { listed: 20, copied: 0, unchanged: 20 },
      problems: [{ code: 'deletions-not-compared', container: 'table.orders' }],
    });
    const { segments, entities } = await tableInPoint(at.vault.connectionString, without, 'orders');
    expect(entities.has('p/0003')).toBe(true);
    const [from] = full.without.containers[0]!.window!;
    expect(segments.map(({ deletionsUnknownSince }) => deletionsUnknownSince)).toEqual([from]);
    const compared = await at.app.run({ mode: 'incremental' }, 'with');
    expect(compared, show(compared)).toMatchObject({
      status: 'succeeded',
      counts: { listed: 18, unchanged: 18 },
      problems: [],
    });
    expect(compared.containers[0]!.counts.deleted).toBe(2);
    expect(await at.held(compared, 'orders')).toEqual(await at.live('orders'));
    // Without the comparison, deletions are still unknown since the first run.
    await at.table('orders').createEntity({ partitionKey: 'p', rowKey: '0003', back: true });
    const again = await at.app.run({ mode: 'incremental' }, 'without');
    expect(again, show(again)).toMatchObject({ counts: { listed: 20, copied: 1 } });
    expect((await at.held(again, 'orders')).get('p/0003')).toMatchObject({ back: [undefined, 'true'] });
    expect((await tableInPoint(at.vault.connectionString, again, 'orders')).segments[0]!.deletionsUnknownSince).toBe(
      from,
    );
    const read = await at.app.run({ mode: 'full' }, 'without');
    expect(read).toMatchObject({ status: 'succeeded', problems: [] });
    expect(await at.held(read, 'orders')).toEqual(await at.live('orders'));
    await at.app.host.stop();
  });

  it('over 50 daily runs, a segment gathers at most eight files and is then read again', async () => {
    const at = await stage({ tableDeletions: true });
    const { app } = at;
    await at.fill('orders', rows(60));
    await app.run({ mode: 'full' });
    const files: number[] = [];
    let last = await app.run({ mode: 'incremental' });
    for (let day = 1; day <= 50; day++) {
      const rowKey = String(day).padStart(4, '0');
      if (day % 3 === 0) await at.table('orders').deleteEntity('p', rowKey);
      else await at.table('orders').upsertEntity({ partitionKey: 'p', rowKey, n: -day }, 'Replace');
      last = await app.run({ mode: 'incremental' });
      expect(last.status, show(last)).toBe('succeeded');
      const names = await controlNames(at.vault.connectionString);
      files.push(names.filter((name) => name.startsWith(`jobs/nightly/tables/orders/${last.id}`)).length);
      if (day % 10 > 0 && day < 45) continue;
      const { segments, entities } = await tableInPoint(at.vault.connectionString, last, 'orders');
      for (const segment of segments) expect(segment.files.length).toBeLessThanOrEqual(8);
      expect(entities).toEqual(await at.live('orders'));
    }
    // Never more than one file a day; sometimes it holds the whole segment.
    expect(
      files.every((count) => count === 1),
      String(files),
    ).toBe(true);
    expect((await app.run({ mode: 'incremental' })).counts).toMatchObject({ copied: 0 });
    expect(await at.held(last, 'orders')).toEqual(await at.live('orders'));
    await app.host.stop();
  });

  it('a large table in skewed partitions is backed up in the memory of a small host', async () => {
    const at = await stage({}, { limits: {} });
    const COUNT = 20_000;
    const text = 'x'.repeat(500);
    const began = performance.now();
    await at.fill(
      'large',
      skewed(COUNT).map((entity) => ({ ...entity, text })),
    );
    const seeded = performance.now();
    const report = await at.app.run({ mode: 'full' });
    const ended = performance.now();
    expect(report, show(report)).toMatchObject({ status: 'succeeded', counts: { listed: COUNT, copied: COUNT } });
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${at.app.host.pid}/status`, 'utf8'))![1]) / 1024;
    const figures = `${COUNT} entities: seeded in ${seeded - began} ms, read in ${ended - seeded} ms, ${peak} MiB`;
    expect(peak, figures).toBeLessThan(400);
    const held = await at.held(report, 'large');
    expect(held.size).toBe(COUNT);
    expect(held.get('large/000001')).toMatchObject({ n: [undefined, '1'], text: [undefined, JSON.stringify(text)] });
    await at.app.host.stop();
  });

  it('a cancelled run leaves no restore point, and the next run is complete', async () => {
    const at = await stage({ tables: ['orders'] }, { limits: { sliceBlobs: 5 } });
    await at.fill('orders', rows(200));
    const id = await at.app.start({ mode: 'full' });
    await at.app.until(id, ({ counts }) => counts.listed > 0);
    expect((await at.app.call('POST', `/api/runs/${id}/cancel`)).status).toBe(202);
    const cancelled = await at.app.ended(id);
    expect(cancelled.status).toBe('cancelled');
    const points = (await at.app.call('GET', '/api/restore-points')).body;
    expect(JSON.stringify(points)).not.toContain(id);
    const report = await at.app.run({ mode: 'incremental' });
    expect(report, show(report)).toMatchObject({ status: 'succeeded', counts: { listed: 200, copied: 200 } });
    expect(await at.held(report, 'orders')).toEqual(await at.live('orders'));
    await at.app.host.stop();
  });
});
