import type { BlobState } from '../blobs/blob.ts';
import { entityFilesPrefix } from '../run/control-paths.ts';
import { parseRunId } from '../run/run-id.ts';

/** The name of a file of entities in its folder. It starts with the run that wrote the file. */
const NAME = /^(.+-\d{8}T\d{6}Z-[a-z0-9]{6})-[A-Za-z0-9-]+\.ndjson\.gz$/;

/** Whether runs of this job give files of this table such a path: other objects in the folder are not ours. */
export function isEntityFile(path: string, job: string, table: string): boolean {
  const prefix = entityFilesPrefix(job, table);
  const run = path.startsWith(prefix) ? NAME.exec(path.slice(prefix.length))?.[1] : undefined;
  return run !== undefined && parseRunId(run)?.job === job;
}

/**
 * Whether a file may be deleted from the folder of a table: certainly ours, needed by nothing that stays, and old
 * enough. Any run may have written it: failed or terminated runs leave files that no manifest names.
 */
export function isUnneeded(
  { name, lastModified }: BlobState,
  of: { job: string; table: string },
  isNeeded: (path: string) => boolean,
  before: number,
): boolean {
  // An unreadable time is not a reason to delete.
  return isEntityFile(name, of.job, of.table) && !isNeeded(name) && Date.parse(lastModified) < before;
}
