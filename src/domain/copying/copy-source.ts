import type { BlobState } from '../blobs/blob.ts';

/**
 * What the address of a copy source names: its path and, for a snapshot or a version, `?snapshot=` or `?versionid=`.
 * Nothing else of the query, so no signature, and not the host, which a service may be reached by under several names.
 * However the address is percent-encoded, the same source reduces to the same text, and another one to another.
 * Empty for what is no address.
 */
export function reducedSource(address: string): string {
  const [, path, query = ''] = PLAIN.exec(address) ?? [];
  if (path !== undefined) return path + keptIn(query);
  const url = URL.parse(address);
  return url ? recoded(url.pathname) + keptIn(url.search) : '';
}

/** Most addresses have nothing in their path that could be written in two ways, and listings have many of them. */
const PLAIN = /^https?:\/\/[^/?#\\@]+((?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+)(\?[^#]*)?$/;

/** Encoded again after decoding, so that a name with a question mark in it is not taken for a query. */
function recoded(path: string): string {
  try {
    return decodeURIComponent(path).split('/').map(encodeURIComponent).join('/');
  } catch {
    return path;
  }
}

/** Ids of snapshots and versions are times; whatever else stands there is not handed on. */
function keptIn(query: string): string {
  const found = /[?&](snapshot|versionid)=([^&]+)/i.exec(query);
  if (!found) return '';
  const id = found[2]!.replace(/%3A/gi, ':');
  return /^[A-Za-z0-9:.-]+$/.test(id) ? `?${found[1]!.toLowerCase()}=${id}` : '';
}

/** The same for a blob, or what is kept of it, at an account's address. */
export function sourceOf(
  endpoint: string,
  container: string,
  { name, snapshotOrVersion: kept }: Pick<BlobState, 'name' | 'snapshotOrVersion'>,
): string {
  const path = `${endpoint}/${container}/${name.split('/').map(encodeURIComponent).join('/')}`;
  const which =
    kept === undefined ? '' : 'snapshot' in kept ? `?snapshot=${kept.snapshot}` : `?versionid=${kept.version}`;
  return reducedSource(path + which);
}
