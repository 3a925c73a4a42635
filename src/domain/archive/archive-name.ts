import { createHash } from 'node:crypto';
import { expand } from '../blobs/container-template.ts';

/** What may be put between the prefix of an archive and the name of a blob. */
export const FOLDERS = ['none', 'day', 'version'] as const;

export type Folders = (typeof FOLDERS)[number];

/** What of a source version its folder tells. */
interface Version {
  /** ISO 8601. */
  lastModified: string;
  etag: string;
}

/** What stands before a source's name in the name of its archived copy. Throws as `archiveFolder`. */
export function archivePrefix(
  destination: { prefix: string; folders: Folders },
  container: string,
  version: Version,
): string {
  return expand(destination.prefix, container) + archiveFolder(destination.folders, version);
}

/**
 * What is put between prefix and name: nothing, `2026/11/21/`, or `2026/11/21/153012Z-0x8DE28F3A/`, in UTC. With `day`,
 * two versions of a blob share a name when they are of one day; with `version`, never. Throws RangeError where
 * `lastModified` is no time.
 */
export function archiveFolder(folders: Folders, { lastModified, etag }: Version): string {
  if (folders === 'none') return '';
  const [date, time] = new Date(lastModified).toISOString().split('T');
  const day = `${date!.replaceAll('-', '/')}/`;
  return folders === 'day' ? day : `${day}${time!.slice(0, 8).replaceAll(':', '')}Z-${folderOf(etag)}/`;
}

/** ETags may hold anything. One that looks like a hash is hashed as well, so that it is never taken for another's. */
function folderOf(etag: string): string {
  if (/^[0-9A-Za-z]{1,64}$/.test(etag) && !/^[0-9a-f]{16}$/.test(etag)) return etag;
  return createHash('sha256').update(etag).digest('hex').slice(0, 16);
}
