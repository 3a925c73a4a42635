import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { EDGE_VALUES, rawEntities, seed, tableOf } from '../../support/builders/tables.ts';

const rowOf = (n: number) => String(n).padStart(6, '0');
type Content = Awaited<ReturnType<typeof rawEntities>>;

describe('a restore of tables', () => {
  let source: TestAccount;
  let vault: TestAccount;
  let app: Strongroom;
  /** Each restore point, with the tables as they were at the time. */
  const days: { id: string; orders: Content; edges: Content }[] = [];

  const there = (table: string) => rawEntities(source.connectionString, table);
  const restore = (body: object) => app.restore(body);
  const backUp = async (mode: string) => {
    const { id, status } = await app.run({ mode });
    expect(status).toBe('succeeded');
    days.push({ id, orders: await there('Orders'), edges: await there('Edges') });
  };
  const control = () => BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('strongroom');

  beforeAll(async () => {
    [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
    app = await startStrongroom({
      source: source.connectionString,
      vault: vault.connectionString,
      jobs: [
        {
          name: 'nightly',
          source: { account: 'SOURCE', tables: ['*'], tableDeletions: true },
          destination: { account: 'VAULT' },
        },
      ],
      limits: { sliceBlobs: 300, chunkBlobs: 200, sliceChunks: 2 },
    });
    const keys = ["it's", 'a b', 'ünï 🦜', '100%', '', 'a+b&c=d', '"', '{}[]'];
    await seed(source.connectionString, 'Edges', []);
    // The SDK's transactions do not support all of these keys.
    for (const partitionKey of keys) {
      for (const rowKey of keys) {
        await tableOf(source.connectionString, 'Edges').createEntity({ partitionKey, rowKey, ...EDGE_VALUES } as never);
      }
    }
    await seed(source.connectionString, 'Empty', []);
    await seed(
      source.connectionString,
      'Orders',
      Array.from({ length: 1_500 }, (_, n) => ({ partitionKey: `p${Math.floor(n / 400)}`, rowKey: rowOf(n), n })),
    );
    await backUp('full');
    const orders = tableOf(source.connectionString, 'Orders');
    await orders.updateEntity({ partitionKey: 'p0', rowKey: rowOf(7), n: -7 }, 'Replace');
    await orders.createEntity({ partitionKey: 'p9', rowKey: '1', n: 1 });
    for (let n = 500; n < 505; n++) await orders.deleteEntity('p1', rowOf(n));
    await backUp('incremental');
  });
  afterAll(() => app.host.stop());

  it('writes the tables of each restore point as they were, type by type, under other names', async () => {
    for (const [day, { id, orders, edges }] of days.entries()) {
      const { status, counts } = await restore({ restorePoint: id, target: { table: `{table}Day${day}` } });
      expect(status).toBe('succeeded');
      expect(counts).toMatchObject({ listed: orders.size + edges.size, copied: orders.size + edges.size });
      expect(await there(`OrdersDay${day}`)).toEqual(orders);
      expect(await there(`EdgesDay${day}`)).toEqual(edges);
      expect(await there(`EmptyDay${day}`)).toEqual(new Map());
    }
  });

  it('writes lost tables in their place', async () => {
    const service = TableServiceClient.fromConnectionString(source.connectionString, { allowInsecureConnection: true });
    await service.deleteTable('Orders');
    await service.deleteTable('Empty');
    const dry = await restore({ dryRun: true });
    const { status, problems, counts } = await restore({});
    // A dry run foretells what the restore does.
    expect([dry.problems, dry.counts.planned]).toEqual([problems, counts.copied]);
    // The restore leaves the table that is not lost.
    expect(status).toBe('completed-with-failures');
    expect(problems.map(({ code, container }) => [code, container])).toEqual([['table-not-empty', 'table.Edges']]);
    expect(await there('Orders')).toEqual(days.at(-1)!.orders);
    expect(await there('Empty')).toEqual(new Map());
  });

  it('leaves existing entities with "skip", and reports which are the same', async () => {
    const orders = tableOf(source.connectionString, 'Orders');
    await orders.updateEntity({ partitionKey: 'p0', rowKey: rowOf(1), other: 'x' }, 'Replace');
    await orders.deleteEntity('p3', rowOf(1_250));
    const dry = await restore({ tables: ['orders'], existing: 'skip', dryRun: true });
    expect(dry.counts).toMatchObject({ listed: 1_496, planned: 1, unchanged: 1_494, skipped: 1 });
    const { id, status, counts } = await restore({ tables: ['orders'], existing: 'skip' });
    expect(status).toBe('succeeded');
    expect(counts).toMatchObject({ listed: 1_496, copied: 1, unchanged: 1_494, skipped: 1 });
    expect(await app.outcomes(id, 'status=skipped')).toMatchObject([{ name: `p0/${rowOf(1)}`, code: 'target-exists' }]);
    expect((await there('Orders')).get(`p0/${rowOf(1)}`)).toHaveProperty('other');
  });

  it('sets the properties of the backup, and keeps others with "merge" and removes them with "replace"', async () => {
    await restore({ tables: ['Orders'], existing: 'merge', keys: { partition: 'p0', from: rowOf(1), to: rowOf(1) } });
    expect((await there('Orders')).get(`p0/${rowOf(1)}`)).toMatchObject({
      n: [undefined, '1'],
      other: [undefined, '"x"'],
    });
    const dry = await restore({ tables: ['Orders'], existing: 'replace', dryRun: true });
    expect(dry).toMatchObject({ status: 'succeeded', counts: { planned: 1_496 } });
    expect(dry.problems).toMatchObject([{ code: 'entities-to-replace', count: 1_496 }]);
    const { counts } = await restore({ tables: ['Orders'], existing: 'replace' });
    expect(counts).toMatchObject({ copied: 1_496 });
    expect(await there('Orders')).toEqual(days.at(-1)!.orders);
  });

  it('writes only the entities of a range of keys', async () => {
    const keys = { partition: 'p1', from: rowOf(450), to: rowOf(510) };
    const { counts } = await restore({ tables: ['Orders'], keys, target: { table: 'Some' } });
    const wanted = [...days.at(-1)!.orders].filter(
      ([name]) => name >= `p1/${rowOf(450)}` && name <= `p1/${rowOf(510)}`,
    );
    expect(counts).toMatchObject({ listed: 56, copied: 56 });
    expect(await there('Some')).toEqual(new Map(wanted));
  });

  it('is proved by each kind of verification, and a drill leaves no table', async () => {
    for (const kind of ['quick', 'deep', 'drill']) {
      const { status, counts } = await app.verify({ restorePoint: 'latest', kind });
      expect([kind, status, counts.failed]).toEqual([kind, 'succeeded', 0]);
      if (kind !== 'drill') expect(counts.listed).toBe(1_496 + 64);
    }
    const service = TableServiceClient.fromConnectionString(vault.connectionString, { allowInsecureConnection: true });
    const tables: string[] = [];
    for await (const { name } of service.listTables()) tables.push(name!);
    expect(tables).toEqual(['strongroom']);
  });

  it('writes a table from one of its files alone', async () => {
    let file = '';
    for await (const { name } of control().listBlobsFlat({ prefix: 'jobs/nightly/tables/Edges/' })) file = name;
    const content = await control().getBlobClient(file).downloadToBuffer();
    const elsewhere = BlobServiceClient.fromConnectionString(source.connectionString).getContainerClient('files');
    await elsewhere.create();
    await elsewhere.getBlockBlobClient('edges.gz').upload(content, content.length);
    const { counts } = await restore({
      file: { account: 'SOURCE', container: 'files', name: 'edges.gz' },
      target: { table: 'OfFile' },
    });
    expect(counts.copied).toBe(64);
    expect(await there('OfFile')).toEqual(days[0]!.edges);
    const again = await restore({ file, existing: 'skip', target: { table: 'OfFile' } });
    expect(await app.outcomes(again.id)).toEqual([]);
    expect(again.counts).toMatchObject({ unchanged: 64 });
  });

  it('writes nothing of a table with a damaged file, but other tables, and a verification names the file', async () => {
    let file = '';
    for await (const { name } of control().listBlobsFlat({ prefix: 'jobs/nightly/tables/Orders/' })) file = name;
    const { body, metadata } = await control()
      .getBlockBlobClient(file)
      .download()
      .then(async ({ metadata }) => ({ body: await control().getBlobClient(file).downloadToBuffer(), metadata }));
    body[body.length >> 1]! ^= 1;
    await control().getBlockBlobClient(file).upload(body, body.length, { metadata: metadata! });
    const { status, problems } = await restore({ target: { table: '{table}Damaged' } });
    expect(status).toBe('completed-with-failures');
    expect(problems).toMatchObject([{ code: 'damaged', container: 'table.Orders', count: 0 }]);
    expect(problems[0]!.message).toContain(file);
    expect((await there('EdgesDamaged')).size).toBe(64);
    await expect(there('OrdersDamaged')).rejects.toThrow(/TableNotFound/);
    const proof = await app.verify({ restorePoint: 'latest' });
    expect(proof.status).toBe('completed-with-failures');
    expect(await app.outcomes(proof.id, 'status=failed')).toMatchObject([{ code: 'content-mismatch' }]);
  });
});
