import type { AccessPolicy } from '#domain/run/container-properties.ts';
import type { StoredEntity } from '#domain/tables/entity-text.ts';
import { type EntityKey, type KeyBound, nameOfKey } from '#domain/tables/table-key.ts';
import { isSameTable } from '#domain/tables/table-name.ts';
import { noteRequest } from '#storage/requests.ts';
import { StorageError } from '#storage/storage-error.ts';
import type { EntityPage, EntityQuery, EntityWrite, TableAccount } from '#storage/table-account.ts';

export interface TableCall {
  operation:
    | 'QueryEntities'
    | 'CreateTable'
    | 'DeleteTable'
    | 'GetTableACL'
    | 'SetTableACL'
    | 'WriteEntity'
    | 'ExecuteTransaction';
  table: string;
  entities: readonly StoredEntity[];
  query?: EntityQuery;
}

/** The fate of a call: with `lost` it is carried out, its answer is lost, and the adapter sends it again. */
export type Fate = StorageError | 'lost' | undefined;

/** The tables of a storage account in memory, in the order of UTF-16. */
export class MemoryTables implements TableAccount {
  readonly alias: string;
  readonly endpoint: string;
  readonly asked: TableCall[] = [];
  /** The stored access policies of tables that have any. */
  readonly policies = new Map<string, AccessPolicy[]>();
  /** Decides the fate of each call; may change tables in the meantime. */
  fate: (call: TableCall) => Fate = () => undefined;
  /** Characters of a key that make a comparison fail. */
  refuses = /[\\/#?]/;
  /** The number of entities of a page. */
  page = 1_000;
  /** Gives each write another time. */
  #ticks = 0;
  readonly #tables = new Map<string, Map<string, StoredEntity>>();

  constructor(alias: string) {
    this.alias = alias;
    this.endpoint = `https://${alias.toLowerCase()}.table.test`;
  }

  /** Writes entities as another writer does; each `text` lacks its timestamp. Returns them as they are stored. */
  put(table: string, entities: readonly StoredEntity[]): StoredEntity[] {
    const there = this.#tables.get(table) ?? new Map();
    this.#tables.set(table, there);
    return entities.map((entity) => {
      const stored = this.#stamped(entity);
      there.set(nameOfKey(entity.key), stored);
      return stored;
    });
  }

  take(table: string, key: EntityKey): void {
    this.#find(table).delete(nameOfKey(key));
  }

  /** The entities of a table, in order; undefined if there is no such table. */
  all(table: string): StoredEntity[] | undefined {
    const there = this.#tables.get(table);
    return there && [...there.values()].sort((a, b) => compareKeys(a.key, b.key));
  }

  get names(): string[] {
    return [...this.#tables.keys()];
  }

  async listTables(): Promise<{ names: string[] }> {
    return { names: this.names };
  }

  async readEntities(table: string, query: EntityQuery): Promise<EntityPage> {
    return this.#ask({ operation: 'QueryEntities', table, entities: [], query }, () => {
      const { after, upTo, since, keysOnly, limit = 1_000, from } = query;
      this.#find(table);
      const bounds = [after?.partition, after?.row, upTo?.partition, upTo?.row];
      if (bounds.some((each) => each !== undefined && (!each.isWellFormed() || this.refuses.test(each)))) {
        throw new StorageError('invalid', 'Not to be compared with', 400);
      }
      const found = this.all(table)!.filter(({ key, text }) => {
        const isNew = since === undefined || JSON.parse(text).Timestamp >= since;
        return isNew && (!after || isBehind(key, after)) && (!upTo || !isBehind(key, upTo));
      });
      const rest = from === undefined ? found : found.filter(({ key }) => compareKeys(key, JSON.parse(from)) >= 0);
      const size = Math.min(limit, this.page);
      const entities = rest.slice(0, size).map(({ key, text }) => ({ key, text: keysOnly ? keysOf(text) : text }));
      // As the service does, a page names the key that the next one begins with.
      const next = rest[size] && JSON.stringify(rest[size].key);
      return { entities, ...(next !== undefined && { next }), answeredAt: '2026-05-02T00:00:00Z' };
    });
  }

  async createTable(table: string): Promise<'created' | 'exists'> {
    return this.#ask({ operation: 'CreateTable', table, entities: [] }, () => {
      if (this.names.some((name) => isSameTable(name, table))) return 'exists';
      this.#tables.set(table, new Map());
      return 'created';
    });
  }

  async accessPolicies(table: string): Promise<AccessPolicy[]> {
    return this.#ask({ operation: 'GetTableACL', table, entities: [] }, () => {
      this.#find(table);
      return this.policies.get(table) ?? [];
    });
  }

  async setAccessPolicies(table: string, policies: readonly AccessPolicy[]): Promise<void> {
    return this.#ask({ operation: 'SetTableACL', table, entities: [] }, () => {
      this.#find(table);
      this.policies.set(table, [...policies]);
    });
  }

  async deleteTable(table: string): Promise<void> {
    return this.#ask({ operation: 'DeleteTable', table, entities: [] }, () => {
      this.#tables.delete(table);
      this.policies.delete(table);
    });
  }

  async writeEntities(table: string, how: EntityWrite, entities: readonly StoredEntity[], signal?: AbortSignal) {
    return this.#ask(
      { operation: 'ExecuteTransaction', table, entities },
      () => this.#write(table, how, entities),
      signal,
    );
  }

  async writeEntity(table: string, how: EntityWrite, entity: StoredEntity, signal?: AbortSignal) {
    return this.#ask(
      { operation: 'WriteEntity', table, entities: [entity] },
      () => this.#write(table, how, [entity]),
      signal,
    );
  }

  #write(table: string, how: EntityWrite, entities: readonly StoredEntity[]): void {
    const there = this.#find(table);
    const names = entities.map(({ key }) => nameOfKey(key));
    const partitions = new Set(entities.map(({ key }) => key.partition));
    if (entities.length > 100 || new Set(names).size < names.length || partitions.size > 1) {
      throw new StorageError('invalid', 'Not a transaction', 400);
    }
    if (how === 'insert' && names.some((name) => there.has(name))) {
      throw new StorageError('precondition', 'The specified entity already exists', 409, 'EntityAlreadyExists');
    }
    for (const entity of entities) {
      const before = there.get(nameOfKey(entity.key));
      const text =
        how === 'merge' && before
          ? JSON.stringify({ ...JSON.parse(before.text), ...JSON.parse(entity.text) })
          : entity.text;
      there.set(nameOfKey(entity.key), this.#stamped({ key: entity.key, text }));
    }
  }

  /** Sets the timestamp as the service does, and ignores a given one. */
  #stamped({ key, text }: StoredEntity): StoredEntity {
    const time = `2026-05-02T00:00:00.${String(this.#ticks++).padStart(7, '0')}Z`;
    const rest = text.replace(/,?"Timestamp":"[^"]*"/, '').replace(/^\{,/, '{');
    return { key, text: rest.replace(/\}$/, `,"Timestamp":"${time}"}`) };
  }

  #find(table: string): Map<string, StoredEntity> {
    const there = this.#tables.get(table);
    if (!there)
      throw new StorageError('container-not-found', 'The table specified does not exist', 404, 'TableNotFound');
    return there;
  }

  async #ask<T>(call: TableCall, carryOut: () => T, signal?: AbortSignal): Promise<T> {
    this.asked.push(call);
    noteRequest(call.operation);
    await undefined;
    if (signal?.aborted) throw new StorageError('aborted', 'Stopped');
    const fate = this.fate(call);
    if (fate instanceof StorageError) throw fate;
    if (fate === 'lost') carryOut();
    return carryOut();
  }
}

export function compareKeys(a: EntityKey, b: EntityKey): number {
  if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
  return a.row < b.row ? -1 : a.row > b.row ? 1 : 0;
}

function isBehind(key: EntityKey, { partition, row }: KeyBound): boolean {
  if (key.partition !== partition) return key.partition > partition;
  return row !== undefined && key.row > row;
}

function keysOf(text: string): string {
  const { PartitionKey, RowKey, Timestamp } = JSON.parse(text);
  return JSON.stringify({ PartitionKey, RowKey, Timestamp });
}
