import { createHash } from 'node:crypto';

/**
 * Where the receipts and poisoned events of archive rules lie in the control container. Names of blobs are written in
 * hexadecimal, so that no name can be mistaken for a folder or reach out of one; names that begin alike, and names in order,
 * stay so.
 */

/** Bytes of a name that are written out; the service takes names of 1,024 characters, and the rest needs room. */
const LONGEST_NAME = 360;

export function archivePath(rule: string): string {
  return `archives/${rule}/`;
}

/** Receipts of one source container. An account stands for its address: a rule may come to name another. */
export function receiptsPath(rule: string, account: string, container: string): string {
  return `${archivePath(rule)}receipts/${accountSegment(account)}/${container}/`;
}

/** Below `receiptsPath`: the folder of one name, and in it a receipt for each version. */
export function receiptName(name: string, etag: string): string {
  return `${nameKey(name)}/${etagKey(etag)}.json`;
}

export function poisonPath(rule: string): string {
  return `${archivePath(rule)}poison/`;
}

/** Below `poisonPath`: one entry for each upload that could not be archived. */
export function poisonId(container: string, name: string, etag: string | undefined): string {
  return sha256(JSON.stringify([container, name, etag ?? ''])).slice(0, 32);
}

export function nameKey(name: string): string {
  const bytes = Buffer.from(name, 'utf8');
  // Half of a surrogate pair has no UTF-8 of its own: two such names would have one key.
  if (bytes.length <= LONGEST_NAME && name.isWellFormed()) return bytes.toString('hex');
  return `${bytes.subarray(0, LONGEST_NAME).toString('hex')}~${sha256(JSON.stringify(name))}`;
}

/** What the keys of all names that begin like this begin with. */
export function nameKeyPrefix(prefix: string): string {
  return Buffer.from(prefix, 'utf8').subarray(0, LONGEST_NAME).toString('hex');
}

function etagKey(etag: string): string {
  return /^[0-9A-Za-z]{1,64}$/.test(etag) ? etag : sha256(etag).slice(0, 32);
}

/** `acct.blob.core.windows.net`, or `acct` where the account is named by the path. */
function accountSegment(account: string): string {
  const { hostname, pathname } = new URL(account);
  const named = pathname.split('/').find((segment) => segment !== '');
  return (named ?? hostname).toLowerCase().replace(/[^a-z0-9.-]/g, '-');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
