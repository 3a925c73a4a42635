import type { StoredEntity } from '#domain/tables/entity-text.ts';
import { keysBefore } from '#domain/tables/keys-before.ts';
import { type EntityKey, type KeyBound, type KeyRange, nameOfKey } from '#domain/tables/table-key.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';

interface Target {
  target: TableAccount;
  table: string;
  signal: AbortSignal;
}

/** How many pages are read between the first and the last entity of a batch, before each half is tried on its own. */
const MOST_PAGES = 4;

/**
 * The texts of those entities that are in the target, by name; not all of them if many other entities are between them.
 */
export async function presentInTarget(target: Target, batch: readonly StoredEntity[]): Promise<Map<string, string>> {
  // A batch has the order of its files, and later files add keys anywhere.
  const keys = batch.map(({ key }) => key).sort((a, b) => (a.row < b.row ? -1 : 1));
  const upTo = keys.at(-1)!;
  const bounds = boundsBefore(keys[0]!);
  for (const [index, after] of bounds.entries()) {
    try {
      const present = await presentIn(target, { ...(after && { after }), upTo }, batch);
      // Another bound is worth a request only for a single key: larger batches are halved down to one.
      if (present.size > 0 || batch.length > 1) return present;
    } catch (error) {
      // The service does not accept the guessed bound.
      if (!isStorageError(error, 'invalid') || index === bounds.length - 1) throw error;
    }
  }
  return new Map();
}

async function presentIn(
  { target, table, signal }: Target,
  range: KeyRange,
  batch: readonly StoredEntity[],
): Promise<Map<string, string>> {
  const wanted = new Set(batch.map(({ key }) => nameOfKey(key)));
  const present = new Map<string, string>();
  let from: string | undefined;
  let pages = 0;
  do {
    const query = { ...range, ...(from !== undefined && { from }) };
    const page = await target.readEntities(table, query, signal).catch((error) => {
      if (isStorageError(error, 'container-not-found')) return { entities: [], next: undefined };
      throw error;
    });
    for (const { key, text } of page.entities) {
      const name = nameOfKey(key);
      if (wanted.has(name)) present.set(name, text);
    }
    from = present.size < wanted.size ? page.next : undefined;
    pages++;
  } while (from !== undefined && (batch.length === 1 || pages < MOST_PAGES));
  return present;
}

/** Bounds that come before this key, the closest first. */
function boundsBefore({ partition, row }: EntityKey): (KeyBound | undefined)[] {
  if (row !== '') return keysBefore(row).map((before) => ({ partition, row: before }));
  // The first key of its partition: the query begins in the partition before it.
  if (partition !== '') return keysBefore(partition).map((before) => ({ partition: before }));
  return [undefined];
}
