import type { TableEntity } from '@azure/data-tables';
import type { Api, Run } from './api.ts';
import { DemoError } from './demo-error.ts';
import { TABLES_JOB } from './job.ts';
import { type RawEntity, rawEntities, tableOf } from './raw-entities.ts';
import { count, fact } from './screen.ts';

const TABLE = 'Orders';
const BESIDE = 'OrdersFirstDay';
const ENTITIES = 3_000;

/**
 * Backs up a table with values of every type, changes it, backs it up again, deletes it, and restores both days.
 * Compares the text of every value with the plain Azure SDK, and returns every difference.
 */
export async function loseATable(connectionString: string, api: Api): Promise<string[]> {
  const table = tableOf(connectionString, TABLE);
  await table.createTable();
  const orders = Array.from({ length: ENTITIES }, (_, number) => orderOf(number));
  for (let at = 0; at < orders.length; at += 100) {
    // Each hundred is in one partition.
    await table.submitTransaction(orders.slice(at, at + 100).map((order) => ['create', order]));
  }
  const firstDay = await rawEntities(connectionString, TABLE);
  const differences: string[] = [];
  const expect = (run: Run, expected: Partial<Run['counts']>) => {
    if (run.status !== 'succeeded') differences.push(`run ${run.id}: status ${run.status}, expected succeeded`);
    for (const [what, number] of Object.entries(expected)) {
      const found = run.counts[what as keyof Run['counts']];
      if (found !== number) differences.push(`run ${run.id}: ${found} ${what}, expected ${number}`);
    }
  };

  const full = await api.follow(await api.startRun(TABLES_JOB, 'full'));
  expect(full, { listed: ENTITIES, copied: ENTITIES });
  fact('Table', `${TABLE}, ${count(ENTITIES)} entities, half of them in one partition; ${requestsOf(full)} requests`);

  for (const number of [0, 1_700, 2_999]) await table.upsertEntity({ ...orderOf(number), note: 'changed' }, 'Replace');
  for (const number of [5, 2_500]) await table.deleteEntity(orderOf(number).partitionKey, orderOf(number).rowKey);
  await table.createEntity({ partitionKey: 'late', rowKey: '1', total: { type: 'Double', value: '7.0' } });
  const today = await rawEntities(connectionString, TABLE);
  const second = await api.follow(await api.startRun(TABLES_JOB, 'incremental'));
  expect(second, { listed: today.size, copied: 4, unchanged: today.size - 4 });
  fact(
    'Changed',
    `3 changed, 1 added, 2 deleted: ${count(second.counts.copied)} copied, ${requestsOf(second)} requests`,
  );

  await table.deleteTable();
  const back = await restored(api, { job: TABLES_JOB, tables: [TABLE] });
  const then = await restored(api, { restorePoint: full.id, tables: [TABLE], target: { table: BESIDE } });
  fact(
    'Lost',
    `restored: ${count(back.counts.copied)} entities as they were, and the ${count(then.counts.copied)} of the first day beside them`,
  );
  differences.push(...compare(await rawEntities(connectionString, TABLE), today, TABLE));
  differences.push(...compare(await rawEntities(connectionString, BESIDE), firstDay, BESIDE));
  fact('Compared', `the text and type of every value in two tables: ${count(differences.length)} differences`);
  await table.deleteTable();
  await tableOf(connectionString, BESIDE).deleteTable();
  return differences;
}

/** An entity with a value of every type, some of which no JavaScript value can hold. */
function orderOf(number: number): TableEntity {
  const isLarge = number < ENTITIES / 2;
  return {
    partitionKey: isLarge ? 'large customer' : `customer-${Math.floor(number / 100)}`,
    rowKey: String(number).padStart(8, '0'),
    count: number,
    total: { type: 'Double', value: `${number}.0` },
    serial: { type: 'Int64', value: `${9_007_199_254_740_993n + BigInt(number)}` },
    at: { type: 'DateTime', value: `2026-11-20T10:00:00.${String(1_000_001 + number)}Z` },
    ratio: { type: 'Double', value: number % 2 === 0 ? 'NaN' : '-Infinity' },
    id: { type: 'Guid', value: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` },
    scan: new Uint8Array([number & 255, 0, 255]),
    note: number % 3 === 0 ? '' : `"quoted" and ünïcode ${number}`,
    paid: number % 2 === 0,
  };
}

async function restored(api: Api, wanted: object): Promise<Run> {
  const run = await api.follow(await api.restore(wanted));
  if (run.status !== 'succeeded') throw new DemoError(`Restore ${run.id} ended as ${run.status}.`);
  return run;
}

function compare(found: Map<string, RawEntity>, expected: Map<string, RawEntity>, table: string): string[] {
  const differences: string[] = [];
  for (const [key, entity] of expected) {
    const there = found.get(key);
    if (there === undefined) differences.push(`${table}/${key}: is missing`);
    else if (sorted(there) !== sorted(entity))
      differences.push(`${table}/${key}: is ${sorted(there)}, not ${sorted(entity)}`);
  }
  for (const key of found.keys())
    if (!expected.has(key)) differences.push(`${table}/${key}: exists, and was not backed up`);
  return differences;
}

function sorted(entity: RawEntity): string {
  return JSON.stringify(Object.entries(entity).sort());
}

function requestsOf({ requests }: Run): string {
  return count(Object.values(requests).reduce((sum, number) => sum + number, 0));
}
