import type { AccessPolicy } from '#domain/run/container-properties.ts';
import { type StoredEntity, withDoublesNamed } from '#domain/tables/entity-text.ts';
import type { KeyRange } from '#domain/tables/table-key.ts';

/**
 * The tables of one storage account. Every method throws `StorageError` and nothing else, and retries transient
 * failures itself; no caller does. An optional signal ends a method early. Entities are not parsed into values: their
 * text is what the service sent, and Strongroom sends it back with an added type for each Double that has none.
 */
export interface TableAccount {
  /** The alias of the account in the configuration. */
  readonly alias: string;
  /** The address of the table service without query, such as `https://acct.table.core.windows.net`; '' if unknown. */
  readonly endpoint: string;

  /** One page of the account's tables in the service's order. */
  listTables(from?: string, signal?: AbortSignal): Promise<{ names: string[]; next?: string }>;

  /**
   * One page (at most 1,000) of the entities in a key range, in the order of their keys. One request, unless a page is
   * empty but not the last. Throws `container-not-found` if the table does not exist.
   */
  readEntities(table: string, query: EntityQuery, signal?: AbortSignal): Promise<EntityPage>;

  /** Returns `exists` if there is one of this name. Throws `being-deleted` while the service deletes such a one. */
  createTable(table: string): Promise<'created' | 'exists'>;

  /** The stored access policies of a table. Requires a right of its own. One request. */
  accessPolicies(table: string): Promise<AccessPolicy[]>;

  /** Replaces all stored access policies of a table. */
  setAccessPolicies(table: string, policies: readonly AccessPolicy[]): Promise<void>;

  /** Deletes a table with everything in it, if it exists. */
  deleteTable(table: string): Promise<void>;

  /**
   * Writes entities of one partition, all or none. The caller must respect the limits: 100 entities, each key once, 4
   * MiB. The `at` of a `StorageError` is the index of the entity that caused it, if the service reports it. `insert`
   * throws `precondition` if there is an entity with the key. After a lost answer, the retry may find its own entities.
   */
  writeEntities(
    table: string,
    how: EntityWrite,
    entities: readonly StoredEntity[],
    signal?: AbortSignal,
  ): Promise<void>;

  /** Writes one entity in a request of its own; see `writeEntities`. */
  writeEntity(table: string, how: EntityWrite, entity: StoredEntity, signal?: AbortSignal): Promise<void>;
}

/** Only if there is none with the key, in its place, or property by property into it. */
export type EntityWrite = 'insert' | 'replace' | 'merge';

export interface EntityQuery extends KeyRange {
  /**
   * Only entities written at this time or later by the service's clock; ISO 8601 with up to seven fractional digits.
   */
  since?: string;
  /** Only keys and times: `text` is then a JSON object with `PartitionKey`, `RowKey` and `Timestamp`. */
  keysOnly?: boolean;
  /** The most entities in the page. */
  limit?: number;
  /** Where to continue: `next` of the previous page of the same query. */
  from?: string;
}

export interface EntityPage {
  entities: StoredEntity[];
  /** Absent after the last page. */
  next?: string;
  /** The time of the answer by the service's clock; ISO 8601, whole seconds. */
  answeredAt: string;
}

/**
 * The bytes that an entity takes of the 4 MiB of a transaction, or more. The service counts everything that is sent,
 * including the headers of each entity.
 */
export function transactionBytes(how: EntityWrite, { key, text }: StoredEntity): number {
  const address = how === 'insert' ? 0 : 9 * (key.partition.length + key.row.length);
  return Buffer.byteLength(withDoublesNamed(text)) + address + OVERHEAD;
}

/** Bytes for the headers and the address of an entity: far more than they take. */
const OVERHEAD = 1024;
