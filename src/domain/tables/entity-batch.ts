import type { EntityKey } from './table-key.ts';

/** Maximum number of operations in one transaction, … */
const MOST_ENTITIES = 100;
/** … and maximum size in bytes, less the room for what surrounds the operations. */
const MOST_BYTES = 4 * 1024 * 1024 - 8 * 1024;

/**
 * Cuts entities into transactions, in their order: each of one partition, with every key at most once, and within the
 * limits of the service. `bytesOf` returns the maximum size of an entity in a transaction.
 */
export function* batchesOf<Entity extends { key: EntityKey }>(
  entities: Iterable<Entity>,
  bytesOf: (entity: Entity) => number,
): Generator<Entity[]> {
  let batch: Entity[] = [];
  let rows = new Set<string>();
  let bytes = 0;
  for (const entity of entities) {
    const { partition, row } = entity.key;
    const size = bytesOf(entity);
    const fits =
      batch.length < MOST_ENTITIES &&
      bytes + size <= MOST_BYTES &&
      batch[0]?.key.partition === partition &&
      !rows.has(row);
    if (!fits) {
      if (batch.length > 0) yield batch;
      batch = [];
      rows = new Set();
      bytes = 0;
    }
    batch.push(entity);
    rows.add(row);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
