import type { BlobState } from '../blobs/blob.ts';
import { serviceIdentity } from '../service-identity.ts';

/**
 * What the address of a copy source names: its service, its path and, for a snapshot or a version, `?snapshot=` or
 * `?versionid=`. Nothing else of the query, so no signature. The service counts: anyone can name a container of an
 * account of their own as a backup container is named. One source always reduces to the same text, however its service
 * is spelled and its address is percent-encoded, and two sources never do. Empty for text that is not an address.
 */
export function reducedSource(address: string): string {
  const [, origin, path, query = ''] = PLAIN.exec(address) ?? [];
  if (origin !== undefined && services.has(origin)) return services.of(origin) + path + keptIn(query);
  const url = URL.parse(address);
  // Only the address of a service has an origin that is an address, too.
  if (url === null || !services.has(url.origin)) return '';
  return services.of(url.origin) + recoded(url.pathname) + keptIn(url.search);
}

/** Most addresses of a listing have one origin, and it takes longer to identify than the rest of the address. */
class LastService {
  #origin = '';
  #identity = '';

  /** Whether it can be identified: text that looks like an origin may have a host or port that no origin has. */
  has(origin: string): boolean {
    return origin === this.#origin || URL.canParse(origin);
  }

  of(origin: string): string {
    if (origin !== this.#origin) {
      // After a restart, an emulator may have another port. Its paths name the account.
      this.#identity = serviceIdentity(origin).replace(/^127\.0\.0\.1:\d+$/, '127.0.0.1');
      this.#origin = origin;
    }
    return this.#identity;
  }
}

const services = new LastService();

/** The path of most addresses has only one spelling, and listings have many addresses. */
const PLAIN = /^(https?:\/\/[^/?#\\@]+)((?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+)(\?[^#]*)?$/;

/** Encoded again after decoding, so that a question mark in a name does not start a query. */
function recoded(path: string): string {
  try {
    return decodeURIComponent(path).split('/').map(encodeURIComponent).join('/');
  } catch {
    return path;
  }
}

/** Ids of snapshots and versions are times. Nothing else passes. */
function keptIn(query: string): string {
  const found = /[?&](snapshot|versionid)=([^&]+)/i.exec(query);
  if (!found) return '';
  const id = found[2]!.replace(/%3A/gi, ':');
  return /^[A-Za-z0-9:.-]+$/.test(id) ? `?${found[1]!.toLowerCase()}=${id}` : '';
}

/** The same for a blob, a snapshot or a version at the address of an account. */
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
