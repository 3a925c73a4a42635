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

/** Bytes. What the writers of files leave is a small part of it: anything larger is another thing, and is not fetched. */
const LARGEST = 128 * 1024 * 1024;

/**
 * Reads a file of entities wherever it lies, with nothing but its own end to tell of it. Throws `damaged` where it is missing, or not
 * as it was written, as far as that can be told: `sha256` is what it had when it was looked at before.
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
  if (size > LARGEST) throw damaged(`${where} is no file of entities: it has ${size} bytes`);
  const found = await account.getObject(container, name);
  if (!found) throw damaged(`${where} is missing`);
  const actual = createHash('sha256').update(found.body).digest('hex');
  // Where it still lies at home its metadata tells; it may have been taken elsewhere, under another name.
  const atHome = container === CONTROL_CONTAINER ? found.metadata.strongroom_sha256 : undefined;
  if ([sha256, atHome].some((each) => each !== undefined && each !== actual)) {
    throw damaged(`${where} is damaged: its SHA-256 is not the one it was written with`);
  }
  try {
    const content = readEntityFile(found.body, where);
    const wrong = problemOfEnd(content.end);
    if (wrong !== undefined) throw damaged(`${where} is not a file of entities that can be read: ${wrong}`);
    return { content, file: { path: name, items: content.end.items, bytes: found.body.length, sha256: actual } };
  } catch (error) {
    throw error instanceof DamagedPartError ? damaged(error.message) : error;
  }
}

/** What is wrong with the end of a file that anybody may have written, in words, or undefined. */
function problemOfEnd({ format, table, range, kind, readTo }: Partial<EntityFileContent['end']>): string | undefined {
  if (format !== ENTITY_FILE_FORMAT) {
    return formatProblem({ format }, ENTITY_FILE_FORMAT) ?? 'its last line does not have the number of a format';
  }
  if (!isValidTableName(table ?? '')) return 'its last line names no table';
  if (kind !== 'entities' && kind !== 'changes') return 'its last line does not say what it holds';
  if (typeof readTo !== 'string' || Number.isNaN(Date.parse(readTo)))
    return 'its last line does not say when it was read';
  if (typeof range !== 'object' || range === null || !isBound(range.after) || !isBound(range.upTo)) {
    return 'its last line does not say which keys it covers';
  }
  return undefined;
}

function isBound(bound: Partial<KeyBound> | null | undefined): boolean {
  if (bound === undefined) return true;
  return typeof bound?.partition === 'string' && (bound.row === undefined || typeof bound.row === 'string');
}
