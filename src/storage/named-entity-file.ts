import { createHash } from 'node:crypto';
import { CONTROL_CONTAINER } from '../domain/control-paths.ts';
import { type EntityFileContent, readEntityFile } from '../domain/entity-file.ts';
import { DamagedPartError } from '../domain/part.ts';
import type { EntityFile } from '../domain/table-tile.ts';
import type { BlobAccount } from './blob-account.ts';
import { StorageError } from './storage-error.ts';

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
  const found = await account.getObject(container, name);
  if (!found) throw damaged(`${where} is damaged: it is missing`);
  const actual = createHash('sha256').update(found.body).digest('hex');
  // Where it still lies at home its metadata tells; it may have been taken elsewhere, under another name.
  const atHome = container === CONTROL_CONTAINER ? found.metadata.strongroom_sha256 : undefined;
  if ([sha256, atHome].some((each) => each !== undefined && each !== actual)) {
    throw damaged(`${where} is damaged: its SHA-256 is not the one it was written with`);
  }
  try {
    const content = readEntityFile(found.body, where);
    return { content, file: { path: name, items: content.end.items, bytes: found.body.length, sha256: actual } };
  } catch (error) {
    throw error instanceof DamagedPartError ? damaged(error.message) : error;
  }
}
