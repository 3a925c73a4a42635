import { createHash } from 'node:crypto';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { DamagedPartError } from '#domain/run/part.ts';
import { ENTITY_FILE_FORMAT, formatProblem } from '#domain/run/stored-format.ts';
import { type EntityFileContent, readEntityFile } from '#domain/tables/entity-file.ts';
import type { EntityFile } from '#domain/tables/segment.ts';
import type { KeyBound } from '#domain/tables/table-key.ts';
import { isValidTableName } from '#domain/tables/table-name.ts';
import type { BlobAccount } from '../blob-account.ts';
import { StorageError } from '../storage-error.ts';
import { FILE_KEY } from './control-store.ts';

/** In bytes. Files of entities are much smaller. A larger blob is something else, and is not downloaded. */
const LARGEST = 128 * 1024 * 1024;

/**
 * Reads a file of entities that a caller names: from any container, and without a manifest. Throws `damaged` if the
 * file is missing, is not a file of entities, or has a checksum that differs from its metadata or from `sha256`.
 */
export async function readNamedEntityFile(
  account: BlobAccount,
  container: string,
  name: string,
  sha256?: string,
): Promise<{ content: EntityFileContent; file: EntityFile }> {
  const damaged = (how: string) => new StorageError('damaged', how);
  const where = `${container}/${name} in ${account.alias}`;
  const size = (await account.getProperties(container, name))?.size;
  if (size === undefined) throw damaged(`${where} is missing`);
  if (size > LARGEST) throw damaged(`${where} is not a file of entities: it has ${size} bytes`);
  const found = await account.getObject(container, name);
  if (!found) throw damaged(`${where} is missing`);
  const actual = createHash('sha256').update(found.body).digest('hex');
  // Only the writer's own metadata counts: an operator may have copied the file to another container.
  const recorded = container === CONTROL_CONTAINER ? found.metadata[FILE_KEY] : undefined;
  if ([sha256, recorded].some((each) => each !== undefined && each !== actual)) {
    throw damaged(`${where} is damaged: its SHA-256 is not the one that its writer recorded`);
  }
  try {
    const content = readEntityFile(found.body, where);
    const wrong = problemOfEnd(content.end);
    if (wrong !== undefined) throw damaged(`${where} is not a valid file of entities: ${wrong}`);
    return { content, file: { path: name, items: content.end.items, bytes: found.body.length, sha256: actual } };
  } catch (error) {
    throw error instanceof DamagedPartError ? damaged(error.message) : error;
  }
}

/** The problem of a file's end, in words. The file may be from any writer. */
function problemOfEnd({ format, table, range, kind, readTo }: Partial<EntityFileContent['end']>): string | undefined {
  if (format !== ENTITY_FILE_FORMAT) {
    return formatProblem({ format }, ENTITY_FILE_FORMAT) ?? 'its last line does not have the number of a format';
  }
  if (!isValidTableName(table ?? '')) return 'its last line names no table';
  if (kind !== 'entities' && kind !== 'changes') return 'its last line does not name its kind';
  if (typeof readTo !== 'string' || Number.isNaN(Date.parse(readTo))) return 'its last line has no time of reading';
  if (typeof range !== 'object' || range === null || !isBound(range.after) || !isBound(range.upTo)) {
    return 'its last line has no key range';
  }
  return undefined;
}

function isBound(bound: Partial<KeyBound> | null | undefined): boolean {
  if (bound === undefined) return true;
  return typeof bound?.partition === 'string' && (bound.row === undefined || typeof bound.row === 'string');
}
