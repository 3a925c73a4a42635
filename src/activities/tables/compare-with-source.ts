import { type StoredEntity, sameEntity, timestampOf } from '#domain/tables/entity-text.ts';
import { type KeyRange, nameOfKey } from '#domain/tables/table-key.ts';
import { isStorageError } from '#storage/storage-error.ts';
import type { EntityPage } from '#storage/table-account.ts';
import type { SourceTable } from './source-table.ts';

export type Verdict = 'same' | 'other' | 'newer' | 'unproved';

/** How many pages of the source are read for one segment. With more, little of what was backed up can be left. */
const MOST_PAGES = 1_000;

/**
 * Compares entities of a key range with what the source has now. If an entity was written since, or is gone, only its
 * file has it (`newer`), and that file is sound. A source that cannot be read proves nothing.
 */
export async function compareWithSource(
  table: SourceTable | undefined,
  range: KeyRange,
  entities: readonly StoredEntity[],
): Promise<Map<StoredEntity, Verdict>> {
  const verdicts = new Map<StoredEntity, Verdict>(entities.map((entity) => [entity, 'unproved']));
  const open = new Map(entities.map((entity) => [nameOfKey(entity.key), entity]));
  if (table === undefined) return verdicts;
  let from: string | undefined;
  for (let page = 0; open.size > 0 && page < MOST_PAGES; page++) {
    const found = await readablePage(table, range, from);
    if (found === undefined) return verdicts;
    for (const { key, text } of found.entities) {
      const name = nameOfKey(key);
      const entity = open.get(name);
      if (!entity) continue;
      open.delete(name);
      verdicts.set(entity, verdictOn(entity.text, text));
    }
    from = found.next;
    if (from !== undefined) continue;
    for (const entity of open.values()) verdicts.set(entity, 'newer');
    break;
  }
  return verdicts;
}

async function readablePage(
  { source, table }: SourceTable,
  { after, upTo }: KeyRange,
  from: string | undefined,
): Promise<EntityPage | undefined> {
  const query = { ...(after && { after }), ...(upTo && { upTo }), ...(from !== undefined && { from }) };
  try {
    return await source.readEntities(table, query);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return undefined;
  }
}

function verdictOn(stored: string, inSource: string): Verdict {
  if (timestampOf(inSource) !== timestampOf(stored)) return 'newer';
  return sameEntity(inSource, stored) ? 'same' : 'other';
}
