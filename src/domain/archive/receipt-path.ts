import { createHash } from 'node:crypto';

/**
 * Names of the receipts and poison entries of archive rules in the control container. Names of blobs are in
 * hexadecimal, so that no name looks like a folder or leaves one. Names in order stay in order, and names that start
 * alike still do.
 */

/** Bytes of a name that appear in full. Azure allows names of 1,024 characters, and the rest of the path needs room. */
const LONGEST_NAME = 360;

export function archivePath(rule: string): string {
  return `archives/${rule}/`;
}

/**
 * Receipts of one source container. The path has the address of the account, because a rule may name another account
 * later.
 */
export function receiptsPath(rule: string, account: string, container: string): string {
  return `${archivePath(rule)}receipts/${accountSegment(account)}/${container}/`;
}

/** Below `receiptsPath`: the folder of one name, which has a receipt for each version. */
export function receiptName(name: string, etag: string): string {
  return `${nameKey(name)}/${etagKey(etag)}.json`;
}

export function poisonPath(rule: string): string {
  return `${archivePath(rule)}poison/`;
}

/** Below `poisonPath`: one entry for each upload that failed permanently. */
export function poisonId(container: string, name: string, etag: string | undefined): string {
  return sha256(JSON.stringify([container, name, etag ?? ''])).slice(0, 32);
}

export function nameKey(name: string): string {
  const bytes = Buffer.from(name, 'utf8');
  // Half of a surrogate pair has no UTF-8 of its own: two such names would have the same key.
  if (bytes.length <= LONGEST_NAME && name.isWellFormed()) return bytes.toString('hex');
  return `${bytes.subarray(0, LONGEST_NAME).toString('hex')}~${sha256(JSON.stringify(name))}`;
}

/** The start of the keys of all names that start with this prefix. */
export function nameKeyPrefix(prefix: string): string {
  return Buffer.from(prefix, 'utf8').subarray(0, LONGEST_NAME).toString('hex');
}

function etagKey(etag: string): string {
  return /^[0-9A-Za-z]{1,64}$/.test(etag) ? etag : sha256(etag).slice(0, 32);
}

/** `acct.blob.core.windows.net`, or `acct` if the account is in the path. */
function accountSegment(account: string): string {
  const { hostname, pathname } = new URL(account);
  const named = pathname.split('/').find((segment) => segment !== '');
  return (named ?? hostname).toLowerCase().replace(/[^a-z0-9.-]/g, '-');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
