import { TableClient, type TableEntityResult } from '@azure/data-tables';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import { connectCatalog } from '#storage/azure/connect.ts';
import { type Catalog, type CatalogRow, isChosenRow, type RowChoice } from '#storage/catalog.ts';
import { countingRequests } from '#storage/requests.ts';
import { type TestAccount, takeAccount } from '../support/azurite/accounts.ts';

let given: TestAccount;
let catalog: Catalog;
let tables = 0;

beforeEach(() => {
  given ??= takeAccount();
  catalog = connectCatalog({ alias: 'vault', connectionString: given.connectionString }, `runs${tables++}`);
});

function row(index: number, more: Partial<CatalogRow> = {}): CatalogRow {
  const startedAt = new Date(Date.UTC(2026, 10, 1) + index * 60_000).toISOString();
  return {
    id: `run-${index}`,
    job: index % 2 ? 'odd' : "even's",
    mode: 'copy',
    trigger: 'timer',
    by: { name: null, via: 'schedule' },
    status: 'running',
    dryRun: false,
    startedAt,
    ...more,
  };
}

describe('a catalog', () => {
  it('is not there before anything was put, which takes one request to see', async () => {
    const counts: RequestCounts = {};
    const listed = countingRequests(counts, () => catalog.list({ limit: 10 }));
    await expect(listed).rejects.toMatchObject({ kind: 'container-not-found' });
    expect(counts).toEqual({ QueryEntities: 1 });
  });

  it('makes its table when it must, and gives rows back whole', async () => {
    const counts: RequestCounts = {};
    const whole = row(1, {
      finishedAt: '2026-11-01T00:05:00.000Z',
      status: 'completed',
      dryRun: true,
      counts: { copied: 3, failed: 0 },
      bytes: { copied: 2 ** 50 },
      usage: { requests: { ListBlobs: 3 }, moved: [{ from: 'Cool', to: '', blobs: 1, bytes: 2 ** 50 }] },
      ...{ retryOf: 'earlier', follows: 'before', problems: 2, seconds: 12.5, requests: 2 ** 40 },
      problem: { code: 'damaged', container: 'images', count: 1, message: 'Ünreadable' },
      restore: { point: 'p', account: 'S', container: 'c', prefix: '', table: 't', existing: 'fail', names: 3 },
      verify: { point: 'p', kind: 'quick' },
      prune: { plan: null },
      held: { blobs: 5, kept: 0, bytes: 2 ** 50 },
      point: {
        ...{ containers: 1, blobs: 2, tables: 0, entities: 0, bytes: null },
        lacks: { skipped: 0, failed: 1, containers: ['lost'], tables: [] },
      },
    });
    expect(await countingRequests(counts, () => catalog.put(whole))).toBe('created');
    expect(counts).toEqual({ InsertOrReplaceEntity: 2, CreateTable: 1 });
    // The vault may have runs from before.
    expect(await catalog.list({ limit: 10 })).toEqual({ rows: [whole], incomplete: true });
    expect(await catalog.list({ limit: 10, job: 'none' })).toEqual({ rows: [], incomplete: true });
    expect(await catalog.put(row(2))).toBeUndefined();
    await catalog.markComplete();
    expect(await catalog.list({ limit: 10 })).toEqual({ rows: [row(2), whole] });
    expect(await catalog.list({ limit: 10, job: 'odd' })).toEqual({ rows: [whole] });
  });

  it('finds the last runs, however many starts were not made since', async () => {
    await catalog.put(row(1));
    await catalog.put(row(2));
    for (let index = 3; index < 9; index++) await catalog.put(row(index, { status: 'not-started' }));
    await catalog.markComplete();
    const listed = (options: { job?: string }) => catalog.list({ ...options, runsOnly: true, limit: 2 });
    expect(await listed({})).toEqual({ rows: [row(2), row(1)] });
    expect(await listed({ job: 'odd' })).toEqual({ rows: [row(1)] });
    expect((await catalog.list({ limit: 2 })).rows).toMatchObject([{ id: 'run-8' }, { id: 'run-7' }]);
  });

  it('replaces the row of a run, fields that are gone included', async () => {
    await catalog.put(row(1, { counts: { copied: 1 }, finishedAt: '2026-11-01T00:05:00.000Z' }));
    await catalog.put(row(1, { status: 'completed' }));
    expect((await catalog.list({ limit: 10 })).rows).toEqual([row(1, { status: 'completed' })]);
  });

  it('lists newest first, in pages, by job', async () => {
    for (const index of [3, 0, 6, 1, 5, 2, 4]) await catalog.put(row(index));
    await catalog.markComplete();
    const ids = async (options: { job?: string; limit: number }) => {
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const counts: RequestCounts = {};
        const page = await countingRequests(counts, () => catalog.list({ ...options, ...(cursor ? { cursor } : {}) }));
        expect(counts).toEqual({ QueryEntities: 1 });
        pages.push(page.rows.map(({ id }) => id));
        cursor = page.next;
        if (cursor) expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      } while (cursor);
      return pages.filter((page) => page.length > 0);
    };
    expect(await ids({ limit: 3 })).toEqual([['run-6', 'run-5', 'run-4'], ['run-3', 'run-2', 'run-1'], ['run-0']]);
    expect((await ids({ limit: 2, job: "even's" })).flat()).toEqual(['run-6', 'run-4', 'run-2', 'run-0']);
    expect(await ids({ limit: 9, job: "x' or true or 'y" })).toEqual([]);
  });

  it('leaves out rows that no run can have written, and shows them again once they are written again', async () => {
    for (const index of [1, 2, 3, 4]) await catalog.put(row(index, { counts: { copied: index } }));
    await catalog.markComplete();
    const table = TableClient.fromConnectionString(given.connectionString, `runs${tables - 1}`, {
      allowInsecureConnection: true,
    });
    const stored: TableEntityResult<{ id?: string }>[] = [];
    for await (const each of table.listEntities<{ id?: string }>()) stored.push(each);
    const [first, second, third] = [1, 2, 3].map((index) => stored.find(({ id }) => id === `run-${index}`)!);
    await table.updateEntity({ partitionKey: 'run', rowKey: first!.rowKey!, counts: 'no' }, 'Merge');
    await table.updateEntity({ partitionKey: 'run', rowKey: second!.rowKey!, dryRun: 'no' }, 'Merge');
    await table.deleteEntity('run', third!.rowKey!);
    // Of another time than its key: to empty or replace the row of this run would not reach it.
    await table.createEntity({ ...third!, partitionKey: 'run', rowKey: `${first!.rowKey}x` });
    expect((await catalog.list({ limit: 10 })).rows.map(({ id }) => id)).toEqual(['run-4']);
    for (const index of [1, 2, 3]) await catalog.put(row(index));
    expect((await catalog.list({ limit: 10 })).rows).toHaveLength(4);
  });

  it('chooses rows by mode, status, trigger, dry run and time', async () => {
    const rows = [
      row(0),
      row(1, { mode: 'full', status: 'failed' }),
      row(2, { mode: 'verify', trigger: "it's" }),
      row(3, { mode: 'full', dryRun: true }),
      row(4, { status: 'succeeded' }),
    ];
    for (const each of rows) await catalog.put(each);
    await catalog.markComplete();
    const at = (index: number) => new Date(row(index).startedAt);
    const choices: RowChoice[] = [
      ...[{ modes: ['full'] }, { modes: ['full', 'verify'] }, { statuses: ['failed', 'succeeded'] }],
      ...[{ trigger: "it's" }, { dryRun: true }, { dryRun: false }, { modes: ['full'], dryRun: false, job: 'odd' }],
      ...[{ from: at(3) }, { to: at(1) }, { from: at(1), to: at(3) }, { from: new Date(at(3).getTime() + 1) }],
      ...[{ from: at(1), to: at(3), modes: ['full'] }],
    ];
    for (const choice of choices) {
      const wanted = rows.filter((each) => isChosenRow(each, choice)).map(({ id }) => id);
      const { rows: found, incomplete } = await catalog.list({ limit: 10, ...choice });
      expect(found.map(({ id }) => id).reverse(), JSON.stringify(choice)).toEqual(wanted);
      expect(incomplete).toBeUndefined();
    }
  });

  it('leaves out a column that is too large', async () => {
    const lacks = {
      skipped: 0,
      failed: 0,
      containers: Array.from({ length: 3000 }, (_, i) => `container-${i}`),
      tables: [],
    };
    const point = { containers: 0, blobs: 0, tables: 0, entities: 0, bytes: 0, lacks };
    await catalog.put(row(1, { point }));
    expect((await catalog.list({ limit: 10 })).rows).toEqual([row(1)]);
  });

  it('keeps two runs that started in the same millisecond', async () => {
    await catalog.put(row(1, { id: 'a' }));
    await catalog.put(row(1, { id: 'b' }));
    expect((await catalog.list({ limit: 10 })).rows.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('refuses a cursor that it did not give out', async () => {
    await catalog.put(row(1));
    const others = ['null', '[]', '{"nextPartitionKey":1}'].map((text) => Buffer.from(text).toString('base64url'));
    for (const cursor of ['garbage', ...others]) {
      await expect(catalog.list({ limit: 1, cursor })).rejects.toMatchObject({ name: 'StorageError', kind: 'invalid' });
    }
  });

  it('says which account denied it, without the key', async () => {
    const connectionString = given.connectionString.replace(given.key, Buffer.alloc(64).toString('base64'));
    const denied = connectCatalog({ alias: 'vault', connectionString }, 'runs0');
    await expect(denied.put(row(1))).rejects.toMatchObject({
      kind: 'access-denied',
      message: expect.stringContaining('vault/runs0'),
    });
  });

  it('reports an account that cannot be reached', async () => {
    const connectionString = given.connectionString.replace(
      /TableEndpoint=[^;]*/,
      'TableEndpoint=http://127.0.0.1:1/acct',
    );
    const lost = connectCatalog({ alias: 'vault', connectionString }, 'runs', {
      tries: 2,
      firstDelay: 1,
      longestDelay: 1,
    });
    const counts: RequestCounts = {};
    await expect(countingRequests(counts, () => lost.list({ limit: 1 }))).rejects.toMatchObject({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
    });
    expect(counts).toEqual({ QueryEntities: 2 });
  });
});
