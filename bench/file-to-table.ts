// The usual program to restore a table from such a file: one entity per request, 32 at once, or a hundred of a
// partition per transaction, 8 at once. One by one, it leaves out an entity that cannot be written.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { TableClient, type TableEntity, type TransactionAction } from '@azure/data-tables';
import pLimit from 'p-limit';

const { SOURCE = '', TABLE = '', FILE = '', TRANSACTIONS } = process.env;
const table = TableClient.fromConnectionString(SOURCE, TABLE, { allowInsecureConnection: true });
await table.createTable();

const together = TRANSACTIONS === 'yes';
const limit = pLimit(together ? 8 : 32);
const writing = new Set<Promise<void>>();
const write = async (entities: TableEntity[]) => {
  const written: Promise<void> = limit(async () => {
    if (together) await table.submitTransaction(entities.map((entity): TransactionAction => ['create', entity]));
    else await table.createEntity(entities[0]!).catch((error) => console.error(String(error)));
  }).finally(() => writing.delete(written));
  writing.add(written);
  if (writing.size >= 64) await Promise.race(writing);
};

let batch: TableEntity[] = [];
for await (const line of createInterface({ input: createReadStream(FILE).pipe(createGunzip()) })) {
  const { etag: _, timestamp: __, ...entity } = JSON.parse(line);
  const isFull = batch.length === (together ? 100 : 1);
  if (batch.length > 0 && (isFull || batch[0]!.partitionKey !== entity.partitionKey)) {
    await write(batch);
    batch = [];
  }
  batch.push(entity as TableEntity);
}
if (batch.length > 0) await write(batch);
await Promise.all(writing);
