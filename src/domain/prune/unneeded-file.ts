import type { BlobState } from '../blobs/blob.ts';
import { entityFilesPrefix } from '../run/control-paths.ts';
import { parseRunId } from '../run/run-id.ts';

/** The name of a file of entities within its folder, beginning with the run that wrote it. */
const NAME = /^(.+-\d{8}T\d{6}Z-[a-z0-9]{6})-[A-Za-z0-9-]+\.ndjson\.gz$/;

/** Whether a run of this job gives files of this table's entities such a path: whatever else lies beside them is not ours. */
export function isEntityFile(path: string, job: string, table: string): boolean {
  const prefix = entityFilesPrefix(job, table);
  const run = path.startsWith(prefix) ? NAME.exec(path.slice(prefix.length))?.[1] : undefined;
  return run !== undefined && parseRunId(run)?.job === job;
}

/**
 * Whether a file may go from the folder of a table's entities: surely ours, named by nothing that stays, and old enough. What wrote
 * it does not matter: runs that failed or were ended leave files that no manifest names.
 */
export function isUnneeded(
  { name, lastModified }: BlobState,
  of: { job: string; table: string },
  isNeeded: (path: string) => boolean,
  before: number,
): boolean {
  // A time that cannot be read is no reason to delete.
  return isEntityFile(name, of.job, of.table) && !isNeeded(name) && Date.parse(lastModified) < before;
}
