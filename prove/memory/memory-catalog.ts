import { type Catalog, type CatalogRow, type ListedRows, NOT_STARTED } from '#storage/catalog.ts';
import { StorageError } from '#storage/storage-error.ts';
import { DIRECT, type Network } from './memory-blobs.ts';

/** The rows of a catalog, by run. */
export type Rows = Map<string, CatalogRow>;

/** A `Catalog` in memory, as one process sees it over its network. */
export class MemoryCatalog implements Catalog {
  readonly #rows: Rows;
  readonly #alias: string;
  readonly #network: Network;
  readonly #refuse: () => void;

  /** `refuse` throws if the table service is out of reach. */
  constructor(alias: string, rows: Rows, network: Network = DIRECT, refuse: () => void = () => {}) {
    this.#alias = alias;
    this.#rows = rows;
    this.#network = network;
    this.#refuse = refuse;
  }

  put(row: CatalogRow): Promise<undefined> {
    return this.#network({ account: this.#alias, operation: 'InsertOrReplaceEntity', writes: true }, () => {
      this.#refuse();
      this.#rows.set(row.id, structuredClone(row));
      return undefined;
    });
  }

  empty({ id }: CatalogRow): Promise<void> {
    return this.#network({ account: this.#alias, operation: 'InsertOrReplaceEntity', writes: true }, () => {
      this.#refuse();
      this.#rows.delete(id);
    });
  }

  async markComplete(): Promise<void> {}

  list(options: ListedRows): Promise<{ rows: CatalogRow[]; next?: string }> {
    return this.#network({ account: this.#alias, operation: 'QueryEntities', writes: false }, () => {
      this.#refuse();
      const { job, runsOnly, limit, cursor } = options;
      if (cursor !== undefined && !cursor.startsWith('row-')) throw new StorageError('invalid', 'Not a cursor');
      const rows = [...this.#rows.values()]
        .filter((row) => job === undefined || row.job === job)
        .filter(({ status }) => !runsOnly || status !== NOT_STARTED)
        .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
        .filter((row) => cursor === undefined || keyOf(row) >= cursor.slice(4));
      const next = rows[limit];
      return { rows: structuredClone(rows.slice(0, limit)), ...(next && { next: `row-${keyOf(next)}` }) };
    });
  }
}

/** Newest first. */
function keyOf({ startedAt, id }: CatalogRow): string {
  return `${String(253_402_300_799_999 - Date.parse(startedAt)).padStart(15, '0')}-${id}`;
}
