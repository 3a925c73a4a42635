import type { EntityKey } from './table-key.ts';

/** The service takes at most so many operations in one transaction, … */
const MOST_ENTITIES = 100;
/** … and less than so many bytes; the rest is for what is around them. */
const MOST_BYTES = 4 * 1024 * 1024 - 8 * 1024;

/**
 * Cuts entities into transactions, in their order: each of one partition, with every key at most once, and of no more than the
 * service takes. `bytesOf` is what an entity takes in a transaction at most.
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
