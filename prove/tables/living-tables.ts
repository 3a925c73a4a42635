import type { EntityKey, KeyBound } from '#domain/tables/table-key.ts';
import { StorageError } from '#storage/storage-error.ts';
import type { EntityPage, EntityQuery, TableAccount } from '#storage/table-account.ts';
import { DIRECT, type Network } from '../memory/memory-blobs.ts';
import { NAME_ORDERS } from '../memory/name-orders.ts';

/** A state of an entity from one change on. */
export interface Version {
  /** The number of the change among all changes: it orders them without clocks. */
  seq: number;
  /** The real time of the change, in milliseconds. */
  at: number;
  /** Absent if the change deleted the entity. */
  text?: string;
}

export interface Life {
  key: EntityKey;
  versions: Version[];
}

export interface TableTraits {
  /** The total order of keys, in listings and queries. */
  compare(a: string, b: string): number;
  /** The number of entities of a page: at least one, at most `limit`. */
  page(limit: number): number;
  now(): number;
  /** The error of the answering machine's clock, in milliseconds. */
  skew(): number;
  /** Throws if the query cannot be answered at present. */
  refuse(table: string, query: EntityQuery): void;
}

export function traitsOf(own: Partial<TableTraits> = {}): TableTraits {
  const now = () => Date.parse('2026-05-01T12:00:00.000Z');
  return { compare: NAME_ORDERS.utf16, page: (limit) => limit, now, skew: () => 0, refuse: () => {}, ...own };
}

/** Tables that remember every state of every entity. Pages continue after a key, as those of the service. */
export class LivingTables {
  readonly tables = new Map<string, Map<string, Life>>();
  readonly traits: TableTraits;
  seq = 0;
  /** The change by which each table was dropped. */
  readonly dropped = new Map<string, number>();
  readonly #gone = new Set<string>();

  constructor(traits: TableTraits = traitsOf()) {
    this.traits = traits;
  }

  create(table: string): void {
    this.#gone.delete(table);
    if (!this.tables.has(table)) this.tables.set(table, new Map());
  }

  drop(table: string): void {
    for (const key of this.keys(table)) this.remove(table, key);
    this.#gone.add(table);
    this.dropped.set(table, ++this.seq);
  }

  /** The names of the existing tables. */
  get names(): string[] {
    return [...this.tables.keys()].filter((table) => !this.#gone.has(table));
  }

  write(table: string, { partition, row }: EntityKey, properties: object = {}): void {
    const { now, skew } = this.traits;
    // No two versions of an entity have the same time, whatever the clock.
    const ticks = String(this.seq % 10_000).padStart(4, '0');
    const Timestamp = `${new Date(now() + skew()).toISOString().slice(0, -1)}${ticks}Z`;
    const text = JSON.stringify({ PartitionKey: partition, RowKey: row, Timestamp, ...properties, n: this.seq });
    this.#change(table, { partition, row }, text);
  }

  remove(table: string, key: EntityKey): void {
    this.#change(table, key, undefined);
  }

  /** The present keys of a table, in order. */
  keys(table: string): EntityKey[] {
    return this.#sorted(table).map(({ key }) => key);
  }

  /** The tables as a process sees them over its network. */
  account(alias: string, network: Network = DIRECT): TableAccount {
    const refused = async () => {
      throw new StorageError('access-denied', 'These tables are only read');
    };
    return {
      alias,
      endpoint: `https://${alias.toLowerCase()}.table.test`,
      listTables: () =>
        network({ account: alias, operation: 'QueryTables', writes: false }, () => ({ names: this.names })),
      readEntities: (table, query) =>
        network({ account: alias, operation: 'QueryEntities', container: table, writes: false }, () =>
          this.#page(table, query),
        ),
      accessPolicies: (table) =>
        network({ account: alias, operation: 'GetTableACL', container: table, writes: false }, () => []),
      setAccessPolicies: refused,
      createTable: refused,
      deleteTable: refused,
      writeEntities: refused,
      writeEntity: refused,
    };
  }

  isBehind({ partition, row }: EntityKey, bound: KeyBound): boolean {
    const { compare } = this.traits;
    const order = compare(partition, bound.partition);
    return order !== 0 ? order > 0 : bound.row !== undefined && compare(row, bound.row) > 0;
  }

  #page(table: string, query: EntityQuery): EntityPage {
    const { now, skew, page, refuse } = this.traits;
    const all = this.#sorted(table);
    refuse(table, query);
    const { after, upTo, since, keysOnly, limit = 1_000, from } = query;
    const first = from === undefined ? undefined : (JSON.parse(from) as EntityKey);
    const found = all.filter(({ key, text }) => {
      if (after && !this.isBehind(key, after)) return false;
      if (upTo && this.isBehind(key, upTo)) return false;
      // The page begins with this key, or with the next one if it is gone.
      if (first && this.#compareKeys(key, first) < 0) return false;
      return since === undefined || (JSON.parse(text) as { Timestamp: string }).Timestamp >= since;
    });
    const count = Math.max(1, page(Math.min(limit, 1_000)));
    const next = found[count];
    const entities = found.slice(0, count).map(({ key, text }) => ({
      key,
      text: keysOnly ? keysOf(text) : text,
    }));
    const answeredAt = new Date(Math.floor((now() + skew()) / 1000) * 1000).toISOString();
    return { entities, ...(next && { next: JSON.stringify(next.key) }), answeredAt };
  }

  #sorted(table: string): { key: EntityKey; text: string }[] {
    const lives = this.#gone.has(table) ? undefined : this.tables.get(table);
    if (!lives) throw new StorageError('container-not-found', `There is no table ${table}`, 404, 'TableNotFound');
    const there: { key: EntityKey; text: string }[] = [];
    for (const { key, versions } of lives.values()) {
      const text = versions.at(-1)!.text;
      if (text !== undefined) there.push({ key, text });
    }
    return there.sort((a, b) => this.#compareKeys(a.key, b.key));
  }

  #compareKeys(a: EntityKey, b: EntityKey): number {
    const { compare } = this.traits;
    return compare(a.partition, b.partition) || compare(a.row, b.row);
  }

  #change(table: string, key: EntityKey, text: string | undefined): void {
    const lives = this.tables.get(table)!;
    const name = `${key.partition}/${key.row}`;
    const life = lives.get(name) ?? { key, versions: [] };
    lives.set(name, life);
    life.versions.push({ seq: ++this.seq, at: this.traits.now(), ...(text !== undefined && { text }) });
  }
}

function keysOf(text: string): string {
  const { PartitionKey, RowKey, Timestamp } = JSON.parse(text);
  return JSON.stringify({ PartitionKey, RowKey, Timestamp });
}
