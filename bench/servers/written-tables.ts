/** Tables that are written and not read: the keys of each. */
export class WrittenTables {
  readonly #keys = new Map<string, Set<string>>();

  /** False if it exists already. */
  create(table: string): boolean {
    if (this.#keys.has(table)) return false;
    this.#keys.set(table, new Set());
    return true;
  }

  has(table: string): boolean {
    return this.#keys.has(table);
  }

  /** The JSON of one entity. */
  write(table: string, entity: string): void {
    const { PartitionKey, RowKey } = JSON.parse(entity);
    this.#keys.get(table)!.add(`${PartitionKey}/${RowKey}`);
  }

  count(table: string): number {
    return this.#keys.get(table)?.size ?? 0;
  }
}
