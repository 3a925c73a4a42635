import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Strongroom, startStrongroom } from '../../support/app/strongroom.ts';
import { type TestAccount, takeAccounts } from '../../support/azurite/accounts.ts';
import { type RawProperty, rawEntities, seed, tableOf } from '../../support/builders/tables.ts';

let source: TestAccount;
let vault: TestAccount;
let app: Strongroom | undefined;

beforeEach(() => {
  [source, vault] = takeAccounts(2) as [TestAccount, TestAccount];
});

afterEach(async () => {
  await app?.host.stop();
  app = undefined;
});

/** The files of entities that lie in the vault, by table. */
async function filesLeft(): Promise<Record<string, string[]>> {
  const control = BlobServiceClient.fromConnectionString(vault.connectionString).getContainerClient('strongroom');
  const files: Record<string, string[]> = {};
  for await (const { name } of control.listBlobsFlat({ prefix: 'jobs/nightly/tables/' })) {
    const [table, file] = name.split('/').slice(3) as [string, string];
    files[table] = [...(files[table] ?? []), file];
  }
  return files;
}

interface Day {
  id: string;
  orders: Map<string, Record<string, RawProperty>>;
}

interface Planned {
  id: string;
  plan: { hash: string; remove: string[] };
  counts: Record<string, number>;
}

async function prune(room: Strongroom, body: object) {
  const { status, body: answer } = await room.call('POST', '/api/prunes', body);
  expect(status, JSON.stringify(answer)).toBe(202);
  return room.ended(answer.id);
}

test('a prune deletes files of tables that no restore point needs, and all points still restore', async () => {
  app = await startStrongroom({
    source: source.connectionString,
    vault: vault.connectionString,
    job: {
      source: { account: 'SOURCE', tables: ['*'], tableDeletions: true },
      destination: { account: 'VAULT' },
      retention: { keepLast: 2, marginHours: 0 },
    },
    limits: { sliceBlobs: 6, chunkBlobs: 2 },
  });
  const room = app;
  const orders = tableOf(source.connectionString, 'orders');
  const keyOf = (n: number) => ({ partitionKey: `p${n % 4}`, rowKey: String(n).padStart(3, '0') });
  const first = Array.from({ length: 40 }, (_, n) => ({ ...keyOf(n), of: 'always' }));
  await seed(
    source.connectionString,
    'orders',
    first.sort((a, b) => (a.partitionKey < b.partitionKey ? -1 : 1)),
  );
  await seed(source.connectionString, 'dropped', [{ ...keyOf(0), of: 'a day' }]);
  const days: Day[] = [];
  for (const [day, mode] of (['full', 'incremental', 'full', 'incremental'] as const).entries()) {
    if (day > 0) {
      await orders.updateEntity({ ...keyOf(day), of: `day ${day}` }, 'Replace');
      await orders.deleteEntity(keyOf(20 + day).partitionKey, keyOf(20 + day).rowKey);
    }
    const { id, status } = await room.run({ mode });
    expect(status).toBe('succeeded');
    days.push({ id, orders: await rawEntities(source.connectionString, 'orders') });
    if (day === 0) await tableOf(source.connectionString, 'dropped').deleteTable();
  }
  const all = await filesLeft();
  expect(all.dropped).toHaveLength(1);

  const plan = (await prune(room, {})) as unknown as Planned;
  expect(plan).toMatchObject({ status: 'succeeded', plan: { remove: [days[1]!.id, days[0]!.id] } });
  const planned = await room.outcomes(plan.id, 'status=planned&container=table.orders');
  expect(planned.length).toBeGreaterThan(0);
  expect(await filesLeft()).toEqual(all);

  const done = await prune(room, { plan: plan.id, hash: plan.plan.hash });
  expect(done).toMatchObject({ status: 'succeeded', counts: { failed: 0, removed: plan.counts.planned } });
  const left = await filesLeft();
  // The runs that are gone wrote all of these, and nothing that came later goes on from them.
  const gone = days.slice(0, 2).map(({ id }) => id);
  expect(Object.keys(left)).toEqual(['orders']);
  expect(left.orders!.sort()).toEqual(all.orders!.filter((name) => !gone.some((id) => name.startsWith(id))).sort());
  // The newest restore point names files of the one before it.
  expect(left.orders!.some((name) => name.startsWith(days[2]!.id))).toBe(true);

  for (const { id, orders: were } of days.slice(2)) {
    const { body: point } = await room.call('GET', `/api/restore-points/${id}`);
    expect(point).toMatchObject({ containers: 0, tables: 1, entities: were.size, lacks: { failed: 0, tables: [] } });
    expect(point.tablesHeld).toMatchObject([{ table: 'orders', entities: were.size, failed: 0 }]);
    const target = { table: `back${id.slice(-6)}` };
    const answer = await room.call('POST', '/api/restores', { restorePoint: id, tables: ['orders'], target });
    expect(answer.status, JSON.stringify(answer.body)).toBe(202);
    expect(await room.ended(answer.body.id)).toMatchObject({ status: 'succeeded' });
    expect(await rawEntities(source.connectionString, target.table)).toEqual(were);
  }
  // With nothing more to do, nothing more is done.
  expect(await prune(room, {})).toMatchObject({ status: 'succeeded', counts: { planned: 0 } });

  // The last restore point goes on from files of a run that goes now: they stay.
  await room.call('POST', `/api/restore-points/${days[3]!.id}/hold`, { reason: 'audit' });
  for (let day = 4; day < 6; day++) expect((await room.run({ mode: 'full' })).status).toBe('succeeded');
  const next = (await prune(room, {})) as unknown as Planned;
  expect(next.plan.remove).toEqual([days[2]!.id]);
  const removed = await prune(room, { plan: next.id, hash: next.plan.hash });
  expect(removed).toMatchObject({ status: 'succeeded', counts: { failed: 0 } });
  const kept = (await filesLeft()).orders!;
  expect(kept.some((name) => name.startsWith(days[2]!.id))).toBe(true);
  const verified = await room.call('POST', '/api/verifications', { restorePoint: days[3]!.id, kind: 'quick' });
  expect(await room.ended(verified.body.id)).toMatchObject({ status: 'succeeded' });
});
