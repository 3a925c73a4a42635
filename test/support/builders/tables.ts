import { gunzipSync } from 'node:zlib';
import type { TableEntity, TableEntityResult } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { tableOf } from '../../../demo/raw-entities.ts';
import { type PointSummary, type SegmentInVault, segmentsIn } from './table-point.ts';

/** A property as sent by the service: its EDM type, if any, and the text of its JSON. */
export type RawProperty = [type: string | undefined, json: string];

export { tableOf };

/** A property of each type, with values at the edges of what the type can hold. */
export const EDGE_VALUES = {
  empty: '',
  quoted: `it's "quoted" \\ and / ünïcödé 🦜 \u2028`,
  int32: { type: 'Int32', value: '-2147483648' },
  int64: { type: 'Int64', value: '-9223372036854775808' },
  whole: { type: 'Double', value: '1.0' },
  large: { type: 'Double', value: '1.7976931348623157E+308' },
  nan: { type: 'Double', value: 'NaN' },
  infinite: { type: 'Double', value: '-Infinity' },
  ticks: { type: 'DateTime', value: '2026-11-21T12:34:56.7654321Z' },
  guid: { type: 'Guid', value: 'c9da6455-213d-42c9-9a79-3e9149a57833' },
  binary: new Uint8Array([0, 255, 128]),
  yes: true,
} as const;

/** Writes entities, a hundred of a partition at a time. The entities of a partition must follow each other. */
export async function seed(connectionString: string, table: string, entities: Iterable<TableEntity>): Promise<void> {
  const client = tableOf(connectionString, table);
  await client.createTable();
  let batch: TableEntity[] = [];
  const flush = async () => {
    // The emulator has problems with transactions of one entity.
    if (batch.length === 1) await client.createEntity(batch[0]!);
    else if (batch.length > 1) await client.submitTransaction(batch.map((entity) => ['create', entity]));
    batch = [];
  };
  for (const entity of entities) {
    if (batch.length === 100 || (batch[0] && batch[0].partitionKey !== entity.partitionKey)) await flush();
    batch.push(entity);
  }
  await flush();
}

/**
 * Every entity of a table under `partition/row`, property by property, with the text of each value as the service wrote
 * it: no number or date passes through JavaScript. Without `Timestamp`, which only the service sets.
 */
export async function rawEntities(
  connectionString: string,
  table: string,
): Promise<Map<string, Record<string, RawProperty>>> {
  const bodies: string[] = [];
  for await (const _ of tableOf(connectionString, table, bodies).listEntities<TableEntityResult<object>>().byPage());
  const found = new Map<string, Record<string, RawProperty>>();
  for (const body of bodies) {
    const { value } = withTexts(body) as { value: RawEntity[] };
    for (const entity of value) found.set(...propertiesOf(entity));
  }
  return found;
}

/** The same for lines of files of entities. */
export function rawLines(lines: Iterable<string>): Map<string, Record<string, RawProperty>> {
  return new Map(Array.from(lines, (line) => propertiesOf(withTexts(line) as RawEntity)));
}

type RawEntity = Record<string, string | undefined>;

/** Each value as its text. The third argument of a reviver is in Node 22, and not in the types yet. */
function withTexts(json: string): unknown {
  type Parse = (text: string, revive: (key: string, value: unknown, at: { source?: string }) => unknown) => unknown;
  return (JSON.parse as Parse)(json, (_key, each, { source }) => source ?? each);
}

function propertiesOf(entity: RawEntity): [name: string, properties: Record<string, RawProperty>] {
  const properties: Record<string, RawProperty> = {};
  for (const [name, json] of Object.entries(entity)) {
    if (name.includes('odata.') || name === 'Timestamp') continue;
    properties[name] = [entity[`${name}@odata.type`], json!];
  }
  return [`${JSON.parse(entity.PartitionKey!)}/${JSON.parse(entity.RowKey!)}`, properties];
}

/** The names of all objects in the control container of a vault. */
export async function controlNames(connectionString: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of controlOf(connectionString).listBlobsFlat()) names.push(name);
  return names;
}

function controlOf(connectionString: string) {
  return BlobServiceClient.fromConnectionString(connectionString).getContainerClient('strongroom');
}

/** A table of a restore point, read from the bytes of the vault alone. */
export async function tableInPoint(
  connectionString: string,
  run: { id: string; job: string },
  table: string,
): Promise<{ segments: SegmentInVault[]; entities: Map<string, Record<string, RawProperty>> }> {
  const control = controlOf(connectionString);
  const objects = new Map<string, Buffer>();
  const fetch = async (path: string) => {
    const body = await control.getBlobClient(path).downloadToBuffer();
    objects.set(path, body);
    return body;
  };
  const summary = JSON.parse(String(await fetch(`jobs/${run.job}/runs/${run.id}/run.json`))) as PointSummary;
  for (const { path, container } of summary.parts) {
    if (container !== `table.${table}`) continue;
    const lines = gunzipSync(await fetch(path))
      .toString()
      .trimEnd()
      .split('\n')
      .slice(0, -1);
    const files = lines.flatMap((line) => (JSON.parse(line) as SegmentInVault).files);
    await Promise.all(files.map((file) => fetch(file.path)));
  }
  const segments = segmentsIn((path) => objects.get(path), summary, table);
  const texts = segments.flatMap(({ content }) => [...content.values()].map(({ text }) => text));
  const entities = rawLines(texts);
  if (entities.size !== texts.length) throw new Error(`Of ${texts.length} entities, ${entities.size} are different`);
  return { segments, entities };
}
