import { DamagedPartError } from '../run/part.ts';
import type { EntityFileContent } from './entity-file.ts';
import { EntityTextError, type StoredEntity, splitEntities } from './entity-text.ts';
import type { Deletion } from './segment.ts';
import { type EntityKey, nameOfKey } from './table-key.ts';

/** Values of properties are never objects, so no entity starts like this. */
const DELETION = '{"deleted":{';

/** A parsed line of a file: an entity, or the key of a deleted one. */
export type FileItem = { entity: StoredEntity } | { deleted: EntityKey };

/** The parsed lines of a file of entities. Throws `DamagedPartError` if a line is neither. */
export function* itemsOf({ lines, end }: EntityFileContent): Generator<FileItem> {
  for (const batch of lines()) {
    const deleted: EntityKey[] = [];
    let entities: StoredEntity[];
    try {
      const texts: string[] = [];
      for (const line of batch) {
        if (line.startsWith(DELETION)) deleted.push(keyOf(JSON.parse(shorterThan(LONGEST_DELETION, line))));
        else texts.push(withoutReturn(shorterThan(LONGEST_ENTITY, line)));
      }
      entities = splitEntities(`{"value":[${texts.join(',')}]}`);
      if (entities.length !== texts.length) throw new EntityTextError('a line is not a single entity');
    } catch (error) {
      if (!(error instanceof EntityTextError || error instanceof SyntaxError)) throw error;
      throw new DamagedPartError(`${end.file} is damaged: ${error.message}`);
    }
    for (const entity of entities) yield { entity };
    for (const key of deleted) yield { deleted: key };
  }
}

/** Characters. The service takes an entity of 1 MiB, and an escape takes six characters. */
const LONGEST_ENTITY = 4 * 1024 * 1024;
/** Characters of a line with two keys. */
const LONGEST_DELETION = 64 * 1024;

/** Anyone may have written the file, and long lines of some kinds take seconds to parse. */
function shorterThan(limit: number, line: string): string {
  if (line.length > limit) throw new EntityTextError(`a line has ${line.length} characters`);
  return line;
}

/** Another tool may have ended the lines with CR LF. Anywhere else, Strongroom never writes a CR. */
function withoutReturn(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (text.includes('\r')) throw new EntityTextError('a line has a CR in it');
  return text;
}

/**
 * The content of a segment: its files applied in order. A later line replaces an earlier one of the same key, and a
 * deletion removes it. The same files give the same entities in the same order: those of the first file where they are
 * there, then those that later files added. Memory has the later files, and little of the first. Throws as `itemsOf`
 * does.
 */
export function* segmentContent(files: readonly EntityFileContent[]): Generator<StoredEntity> {
  const [first, ...later] = files[0]?.end.kind === 'changes' ? [undefined, ...files] : files;
  const changed = new Map<string, StoredEntity | undefined>();
  for (const file of later as EntityFileContent[]) {
    for (const item of itemsOf(file)) {
      if ('entity' in item) changed.set(nameOfKey(item.entity.key), item.entity);
      else changed.set(nameOfKey(item.deleted), undefined);
    }
  }
  for (const item of first ? itemsOf(first) : []) {
    if (!('entity' in item)) continue;
    if (changed.size === 0) {
      yield item.entity;
      continue;
    }
    const name = nameOfKey(item.entity.key);
    const now = changed.has(name) ? changed.get(name) : item.entity;
    changed.delete(name);
    if (now) yield now;
  }
  for (const entity of changed.values()) if (entity) yield entity;
}

function keyOf({ deleted }: Partial<Deletion>): EntityKey {
  const { PartitionKey: partition, RowKey: row } = deleted ?? {};
  if (typeof partition !== 'string' || typeof row !== 'string') throw new EntityTextError('a deletion has no key');
  return { partition, row };
}
