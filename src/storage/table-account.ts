import { type StoredEntity, withDoublesNamed } from '#domain/tables/entity-text.ts';
import type { KeyRange } from '#domain/tables/table-key.ts';

/**
 * What Strongroom asks of one storage account's tables. Every method throws `StorageError` and nothing else, retries what is worth
 * a retry itself (the only place that does), and takes an optional signal that ends it early. Entities are never parsed into values
 * on their way: their text is what the service sent, and is sent back so, with the type said beside each Double that has none.
 */
export interface TableAccount {
  /** The alias the configuration knows the account by. */
  readonly alias: string;
  /** The table service's address without query, such as `https://acct.table.core.windows.net`. */
  readonly endpoint: string;

  /** One page of the account's tables, in the service's order. */
  listTables(from?: string, signal?: AbortSignal): Promise<{ names: string[]; next?: string }>;

  /**
   * One page (at most 1,000) of the entities in a range, in the order of their keys; one request, unless a page is empty and there
   * is more. Throws `container-not-found` where there is no such table.
   */
  readEntities(table: string, query: EntityQuery, signal?: AbortSignal): Promise<EntityPage>;

  /** `exists` when it was there already. One that is just being deleted is waited for, for about a minute. */
  createTable(table: string): Promise<'created' | 'exists'>;

  /** Deletes a table with all that is in it; one that is not there is as good. */
  deleteTable(table: string): Promise<void>;

  /**
   * Writes entities of one partition, all or none (at most 100, each key once, 4 MiB together): the caller keeps to that. Throws a
   * `StorageError` that tells with `at` which entity was at fault, where the service says so. `insert` throws `precondition` where
   * there is one of the key. An answer that was lost is tried again, so what was written may be found to be there already.
   */
  writeEntities(
    table: string,
    how: EntityWrite,
    entities: readonly StoredEntity[],
    signal?: AbortSignal,
  ): Promise<void>;

  /** Writes one entity; as `writeEntities`, with a request that carries nothing else. */
  writeEntity(table: string, how: EntityWrite, entity: StoredEntity, signal?: AbortSignal): Promise<void>;
}

/** Only where there is none of the key, in place of the one there is, or property by property into it. */
export type EntityWrite = 'insert' | 'replace' | 'merge';

export interface EntityQuery extends KeyRange {
  /** Only those that were written at this time or later by the service's clock, ISO 8601 with up to seven digits of fractions. */
  since?: string;
  /** Only the keys, and when each was written: `text` is then a JSON object of `PartitionKey`, `RowKey` and `Timestamp`. */
  keysOnly?: boolean;
  /** At most so many. */
  limit?: number;
  /** Where to go on: `next` of the page before, of the same query. */
  from?: string;
}

export interface EntityPage {
  entities: StoredEntity[];
  /** Absent after the last page. */
  next?: string;
  /** When the service answered, by its own clock, ISO 8601: whole seconds. */
  answeredAt: string;
}

/**
 * What an entity takes of the 4 MiB that a transaction may have, in bytes, and not less: the service counts all that is sent, with what
 * stands around each entity.
 */
export function transactionBytes(how: EntityWrite, { key, text }: StoredEntity): number {
  const address = how === 'insert' ? 0 : 9 * (key.partition.length + key.row.length);
  return Buffer.byteLength(withDoublesNamed(text)) + address + AROUND;
}

/** Headers, and an address with the account's and the table's name, in bytes: far more than they have. */
const AROUND = 1024;
