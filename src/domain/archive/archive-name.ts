import { createHash } from 'node:crypto';
import { expand } from '../blobs/container-template.ts';

/** The folders that an archive may have between its prefix and the name of a blob. */
export const FOLDERS = ['none', 'day', 'version'] as const;

export type Folders = (typeof FOLDERS)[number];

/** The facts of a source version that appear in its folder. */
interface Version {
  /** ISO 8601. */
  lastModified: string;
  etag: string;
}

/** The prefix of the archived copy's name, before the name of the source. Throws as `archiveFolder`. */
export function archivePrefix(
  destination: { prefix: string; folders: Folders },
  container: string,
  version: Version,
): string {
  return expand(destination.prefix, container) + archiveFolder(destination.folders, version);
}

/**
 * The folder between prefix and name: none, `2026/11/21/`, or `2026/11/21/153012Z-0x8DE28F3A/`, in UTC. With `day`, two
 * versions of a blob share a name if they are from the same day; with `version`, never. Throws RangeError if
 * `lastModified` is not a time.
 */
export function archiveFolder(folders: Folders, { lastModified, etag }: Version): string {
  if (folders === 'none') return '';
  const [date, time] = new Date(lastModified).toISOString().split('T');
  const day = `${date!.replaceAll('-', '/')}/`;
  return folders === 'day' ? day : `${day}${time!.slice(0, 8).replaceAll(':', '')}Z-${folderOf(etag)}/`;
}

/** An ETag may contain anything. One that looks like a hash is hashed too, so that no two ETags share a folder. */
function folderOf(etag: string): string {
  if (/^[0-9A-Za-z]{1,64}$/.test(etag) && !/^[0-9a-f]{16}$/.test(etag)) return etag;
  return createHash('sha256').update(etag).digest('hex').slice(0, 16);
}
