import type { EntityFileContent } from '../domain/entity-file.ts';
import { DamagedPartError } from '../domain/part.ts';
import type { NamedFile } from '../domain/restore.ts';
import type { RunRef } from '../domain/run.ts';
import type { EntityFile, EntityFileEnd, Tile } from '../domain/table-tile.ts';
import { type KeyedText, linesOf, tileContent } from '../domain/tile-content.ts';
import { readNamedEntityFile } from '../storage/named-entity-file.ts';
import { StorageError } from '../storage/storage-error.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';
import { ofVault } from './restore-blob.ts';

export interface TileContent {
  /** Each key once. */
  entities: KeyedText[];
  /** What the files say of themselves, in their order. */
  ends: EntityFileEnd['end'][];
}

export type ReadTile = (tile: Tile) => Promise<TileContent>;

/**
 * Reads what a tile of a restore holds, every byte of it checked. Throws `damaged` where a file is missing, is not as it was
 * written, or where all of them together do not hold as many entities as the tile says.
 */
export function tilesOf(deps: Dependencies, run: RunRef): ReadTile {
  const { control } = workplaceOf(deps, run.job);
  const file = run.restore?.file;
  const read = file
    ? async ({ sha256 }: EntityFile) => (await readNamed(deps, file, sha256)).content
    : ofVault((each: EntityFile) => control.readEntityFile(each));
  return async (tile) => {
    const files: EntityFileContent[] = [];
    for (const each of tile.files) files.push(await read(each));
    const entities = sound(() => tileContent(files));
    if (entities.length !== tile.entities) {
      const where = tile.files.map(({ path }) => path).join(' and ');
      const message = `${where} hold ${entities.length} entities, and should hold ${tile.entities}`;
      throw new StorageError('damaged', message);
    }
    return { entities, ends: files.map(({ end }) => end) };
  };
}

/**
 * A file as if it were all that a table has: its entities, and, in a file of changes, the deletions, which a restore does not carry
 * out.
 */
export async function tileOfFile(
  deps: Dependencies,
  named: NamedFile,
): Promise<{ tile: Tile; deleted: { partition: string; row: string }[] }> {
  const { content, file } = await readNamed(deps, named);
  const { deleted } = sound(() => linesOf(content));
  const size = content.lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
  const { range, readTo } = content.end;
  const entities = sound(() => tileContent([content])).length;
  const tile: Tile = {
    ...{ name: named.name, status: 'copied', etag: '', modified: readTo, size },
    ...{ range, entities, files: [file], readAt: readTo },
  };
  return { tile, deleted };
}

function readNamed(deps: Dependencies, { account, container, name }: NamedFile, sha256?: string) {
  return ofVault(readNamedEntityFile)(deps.blobs(account), container, name, sha256);
}

/** What is not as it was written is told as everything else that is read. */
function sound<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof DamagedPartError ? new StorageError('damaged', error.message) : error;
  }
}
