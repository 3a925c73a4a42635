// The usual program to back up a table: list it page by page, and write each entity as a line of JSON to a
// compressed file.
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { TableClient } from '@azure/data-tables';

const { SOURCE = '', TABLE = '', FILE = '', TYPED } = process.env;
const table = TableClient.fromConnectionString(SOURCE, TABLE, { allowInsecureConnection: true });
// JSON has no form for the SDK's Int64 values.
const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);

async function* lines() {
  // `disableTypeConversion` makes the SDK keep types that it otherwise converts, as far as it can.
  for await (const page of table.listEntities({ disableTypeConversion: TYPED === 'yes' }).byPage()) {
    yield page.map((entity) => `${JSON.stringify(entity, plain)}\n`).join('');
  }
}

await pipeline(Readable.from(lines()), createGzip(), createWriteStream(FILE));
