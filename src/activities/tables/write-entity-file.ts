import { entityFilePath, rangeKey } from '#domain/run/control-paths.ts';
import { ENTITY_FILE_FORMAT } from '#domain/run/stored-format.ts';
import type { EntityFileWriter } from '#domain/tables/entity-file.ts';
import type { EntityFile, EntityFileEnd } from '#domain/tables/segment.ts';
import type { RunContext } from '../run/run-context.ts';
import { sourceTableOf } from './source-table.ts';

/** Characters of text in one file: a restore holds all of them in memory. */
export const LARGEST_FILE = 8 * 2 ** 20;

export interface EntityFileFacts extends Pick<EntityFileEnd['end'], 'range' | 'kind' | 'since'> {
  window: [from: string, to: string];
}

/** Writes a file of entities, under a name that no other execution of the piece uses. */
export async function writeEntityFile(
  context: RunContext,
  piece: number,
  writer: EntityFileWriter,
  { window: [readFrom, readTo], ...facts }: EntityFileFacts,
): Promise<EntityFile> {
  const { run, control, deps } = context;
  const { source, table } = sourceTableOf(context);
  const path = entityFilePath(run, table, rangeKey(piece), deps.random());
  const { items } = writer;
  const about = { file: path, format: ENTITY_FILE_FORMAT, table, source: source.endpoint, run: run.id };
  const written = writer.finish({ ...about, ...facts, readFrom, readTo });
  await control.writeEntityFile(path, written);
  return { path, items, bytes: written.body.length, sha256: written.sha256 };
}
