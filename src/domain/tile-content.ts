import type { EntityFileContent } from './entity-file.ts';
import { EntityTextError, splitEntities } from './entity-text.ts';
import { DamagedPartError } from './part.ts';
import { type EntityKey, nameOfKey } from './table-key.ts';
import type { Deletion } from './table-tile.ts';

/** An entity with the text that the service told it by. */
export interface KeyedText {
  key: EntityKey;
  text: string;
}

/** Properties have no objects for values, so no entity begins so. */
const DELETION = '{"deleted":{';

/** The lines of a file of entities, taken apart. Throws `DamagedPartError` where a line is neither. */
export function linesOf({ lines, end }: EntityFileContent): { entities: KeyedText[]; deleted: EntityKey[] } {
  const found = { entities: [] as KeyedText[], deleted: [] as EntityKey[] };
  try {
    const texts: string[] = [];
    for (const line of lines) {
      if (line.startsWith(DELETION)) found.deleted.push(keyOf(JSON.parse(line)));
      else texts.push(line);
    }
    found.entities = splitEntities(`{"value":[${texts.join(',')}]}`);
    if (found.entities.length !== texts.length) throw new EntityTextError('a line is no single entity');
  } catch (error) {
    if (!(error instanceof EntityTextError || error instanceof SyntaxError)) throw error;
    throw new DamagedPartError(`${end.file} is damaged: ${error.message}`);
  }
  return found;
}

/**
 * What a tile holds: its files applied in turn, so that later lines of a key replace earlier ones, and deletions remove. Each key
 * is there once. The same files give the same entities in the same order: that of a single file, or else by UTF-16.
 */
export function tileContent(files: readonly EntityFileContent[]): KeyedText[] {
  const byKey = new Map<string, KeyedText>();
  for (const file of files) {
    const { entities, deleted } = linesOf(file);
    for (const entity of entities) byKey.set(nameOfKey(entity.key), entity);
    for (const key of deleted) byKey.delete(nameOfKey(key));
  }
  const entities = [...byKey.values()];
  return files.length === 1 ? entities : entities.sort(({ key: a }, { key: b }) => compareKeys(a, b));
}

function keyOf({ deleted }: Partial<Deletion>): EntityKey {
  const { PartitionKey: partition, RowKey: row } = deleted ?? {};
  if (typeof partition !== 'string' || typeof row !== 'string') throw new EntityTextError('a deletion has no key');
  return { partition, row };
}

function compareKeys(a: EntityKey, b: EntityKey): number {
  if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
  return a.row < b.row ? -1 : a.row > b.row ? 1 : 0;
}
