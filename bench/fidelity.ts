import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TableEntity } from '@azure/data-tables';
import { rawEntities, seed } from '../test/support/builders/tables.ts';
import { Strongroom } from './contenders/strongroom.ts';
import { TABLE_SCRIPTS } from './contenders/table-scripts.ts';
import { startCountedAzurite } from './servers/azurite.ts';

/** Names of the values that are restored as another value or type, or not at all. */
export interface Fidelity {
  /** The number of values. */
  values: number;
  strongroom: string[];
  loop: string[];
  /** The loop without the SDK's conversion of types. */
  typedLoop: string[];
}

/** Common values, and those at the edges of their types. Each is in an entity of its own, under this name. */
const VALUES: Record<string, unknown> = {
  'a String': 'Söhne & "Co"',
  'an empty String': '',
  'a Boolean': true,
  'an Int32': { type: 'Int32', value: '-2147483648' },
  'Double 0.5': { type: 'Double', value: '0.5' },
  'Double 1.0': { type: 'Double', value: '1.0' },
  'Double 3000000000.0': { type: 'Double', value: '3000000000.0' },
  'Double NaN': { type: 'Double', value: 'NaN' },
  'Double -Infinity': { type: 'Double', value: '-Infinity' },
  'Int64 5': { type: 'Int64', value: '5' },
  'Int64 9223372036854775807': { type: 'Int64', value: '9223372036854775807' },
  'a DateTime': { type: 'DateTime', value: '2026-11-21T12:34:56.0000000Z' },
  'a DateTime with ticks': { type: 'DateTime', value: '2026-11-21T12:34:56.7654321Z' },
  'a Guid': { type: 'Guid', value: 'c9da6455-213d-42c9-9a79-3e9149a57833' },
  'a Binary': { type: 'Binary', value: 'AP+A' },
};

const TABLE = 'Values';

/** Backs values up and restores them, with Strongroom and with the usual programs, on Azurite. */
export async function measureFidelity(): Promise<Fidelity> {
  const azurite = await startCountedAzurite(['source', 'vault']);
  const connectionString = azurite.connectionString('source');
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
  const strongroom = new Strongroom('vault', {
    source: { account: 'SOURCE', tables: [TABLE] },
    destination: { account: 'VAULT' },
  });
  try {
    const entities = Object.entries(VALUES).map(([rowKey, value]) => ({ partitionKey: 'values', rowKey, value }));
    await seed(connectionString, TABLE, entities as TableEntity[]);
    const before = await rawEntities(connectionString, TABLE);
    const lostIn = async (table: string) => {
      const after = await rawEntities(connectionString, table);
      return [...before]
        .filter(([key, properties]) => JSON.stringify(after.get(key)) !== JSON.stringify(properties))
        .map(([key]) => key.slice(key.indexOf('/') + 1));
    };
    const byLoop = async (table: string, typed: boolean) => {
      const place = { connectionString, file: join(directory, `${table}.ndjson.gz`) };
      await TABLE_SCRIPTS.toFile({ ...place, table: TABLE, typed });
      await TABLE_SCRIPTS.toTable({ ...place, table });
      return lostIn(table);
    };
    await strongroom.backUp(azurite, 'source', 'full');
    const body = { tables: [TABLE], target: { table: '{table}Restored' } };
    await strongroom.ask(azurite, 'source', '/api/restores', body);
    return {
      values: before.size,
      strongroom: await lostIn(`${TABLE}Restored`),
      loop: await byLoop(`${TABLE}ByLoop`, false),
      typedLoop: await byLoop(`${TABLE}ByTypedLoop`, true),
    };
  } finally {
    await azurite.stop();
    strongroom.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}
