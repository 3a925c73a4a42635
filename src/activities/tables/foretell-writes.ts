import type { RestoreTask } from '#domain/run/tasks.ts';
import { type StoredEntity, sameEntity } from '#domain/tables/entity-text.ts';
import { type KeyRange, nameOfKey } from '#domain/tables/table-key.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { TableAccount } from '#storage/table-account.ts';

/** Where a dry run looks. */
export interface ForetoldTarget {
  target: TableAccount;
  table: string;
  existing: RestoreTask['existing'];
  /** Ends the dry run if it may not continue. */
  proceed: () => Promise<void>;
}

/** What a restore would do with entities. */
export interface ForetoldWrites {
  created: StoredEntity[];
  /** In their place, or property by property into them. */
  replaced: StoredEntity[];
  /** There and equal, and left. */
  unchanged: StoredEntity[];
  /** There and different, and left. */
  skipped: StoredEntity[];
}

/** Foretells what a restore would do with entities of a key range, from what the target has of that range now. */
export async function foretellWrites(
  { target, table, existing, proceed }: ForetoldTarget,
  range: KeyRange,
  entities: readonly StoredEntity[],
): Promise<ForetoldWrites> {
  const foretold: ForetoldWrites = { created: [], replaced: [], unchanged: [], skipped: [] };
  const wanted = new Map(entities.map((entity) => [nameOfKey(entity.key), entity]));
  // Only a restore that leaves what is there compares it.
  const keysOnly = existing !== 'skip';
  // A restore that writes only into an empty table finds nothing.
  for (let from: string | undefined, isFirst = existing !== 'fail'; isFirst || from !== undefined; isFirst = false) {
    if (wanted.size === 0) break;
    const page = await target
      .readEntities(table, { ...range, keysOnly, ...(from !== undefined && { from }) })
      .catch((error) => {
        if (isStorageError(error, 'container-not-found')) return { entities: [], next: undefined };
        throw error;
      });
    for (const { key, text } of page.entities) {
      const entity = wanted.get(nameOfKey(key));
      if (entity === undefined) continue;
      wanted.delete(nameOfKey(key));
      if (keysOnly) foretold.replaced.push(entity);
      else (sameEntity(text, entity.text) ? foretold.unchanged : foretold.skipped).push(entity);
    }
    from = page.next;
    await proceed();
  }
  foretold.created.push(...wanted.values());
  return foretold;
}
