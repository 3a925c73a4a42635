import { createHash } from 'node:crypto';
import { problemCodeOf } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { holderKey, isArchived, locate } from '#domain/restore/locate.ts';
import { asBackedUp, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError, type StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import { MAX_CHECKS } from '../copying/copy-limits.ts';
import { listNamed, missingOrOther } from '../restore/held-content.ts';
import type { ContentLocation } from '../restore/manifest-walk.ts';

export interface ReadContext {
  vault: ContentLocation;
  /** The container that was backed up; absent if the job now backs up another account. */
  source?: { account: BlobAccount; container: string };
  signal: AbortSignal;
}

/** The outcome for a blob that was read. */
export type ReadOutcome = Outcome & {
  /** Hex, of the bytes read, if the restore point has no MD5 of them. */
  sha256?: string;
};

/** The result of reading a blob. */
export interface ReadBlob {
  outcome: ReadOutcome;
  /** The blob, if it was read to its end. */
  content?: BlobState;
}

type Algorithm = 'md5' | 'sha256';

/**
 * Reads every byte of one blob of a restore point in the vault, and compares its length and hash with what was backed
 * up. The read is pinned to the listed ETag. If the content has moved, it is found again; if it cannot be read, the
 * next blob that has it is read. Failures are outcomes; only a stop by the signal is thrown.
 */
export async function readBlob(context: ReadContext, planned: PlannedItem): Promise<ReadBlob> {
  const entry = planned.entry!;
  const unreadable = new Set<string>();
  let content: BlobState | undefined = planned.from.etag === '' ? undefined : planned.from;
  let lastError: StorageError | undefined;
  for (let check = 0; check < MAX_CHECKS; check++) {
    try {
      const found = content ?? (await find(context, entry, unreadable));
      if (found === undefined) break;
      if (typeof found === 'string') return failed(entry, found);
      if (isArchived(found)) return archived(entry);
      content = found;
      return await readContent(context, entry, content);
    } catch (error) {
      if (!isStorageError(error) || error.kind === 'aborted') throw error;
      if (content === undefined || OF_ACCOUNT.has(error.kind)) return failed(entry, codeOf(error), error.message);
      unreadable.add(holderKey(content));
      lastError = error;
      content = undefined;
    }
  }
  return unread(entry, lastError);
}

/** Another blob of the account cannot be read then, either. */
const OF_ACCOUNT = new Set<StorageErrorKind>(['access-denied', 'throttled', 'unreachable']);

const OUT_OF_DATE = new Set<StorageErrorKind>(['precondition', 'not-found', 'container-not-found']);

/** The outcome when none of the blobs that have the content could be read. */
function unread(entry: Outcome, error: StorageError | undefined): ReadBlob {
  if (error?.kind === 'archived') return archived(entry);
  const isChanging = error === undefined || OUT_OF_DATE.has(error.kind);
  return failed(entry, isChanging ? 'destination-changing' : codeOf(error), error?.message);
}

/** The blob that holds the content of an entry, or why none does; undefined if only `unreadable` ones do. */
async function find(
  { vault }: ReadContext,
  entry: Outcome,
  unreadable: ReadonlySet<string>,
): Promise<BlobState | ProblemCode | undefined> {
  const found = await listNamed(vault.account, vault.container, vault.prefix + entry.name);
  return locate(entry, found) === undefined ? missingOrOther(entry, found) : locate(entry, found, unreadable);
}

async function readContent(context: ReadContext, entry: Outcome, content: BlobState): Promise<ReadBlob> {
  const { vault, signal } = context;
  const algorithm = entry.md5 === undefined ? 'sha256' : 'md5';
  const read = await digest(vault.account, vault.container, content, algorithm, signal);
  return { outcome: await judge(context, entry, algorithm, read), content };
}

export interface Digest {
  size: number;
  /** Hex. */
  hash: string;
}

/** Hashes the bytes as they come: memory does not grow with the blob. */
export async function digest(
  account: BlobAccount,
  container: string,
  { name, etag, snapshotOrVersion }: Pick<BlobState, 'name' | 'etag' | 'snapshotOrVersion'>,
  algorithm: Algorithm,
  signal: AbortSignal,
): Promise<Digest> {
  const hash = createHash(algorithm);
  let size = 0;
  const options = { ifMatch: etag, signal, ...(snapshotOrVersion && { snapshotOrVersion }) };
  for await (const bytes of account.readContent(container, name, options)) {
    hash.update(bytes);
    size += bytes.length;
  }
  return { size, hash: hash.digest('hex') };
}

async function judge(context: ReadContext, entry: Outcome, algorithm: Algorithm, read: Digest): Promise<ReadOutcome> {
  const about = algorithm === 'sha256' ? { sha256: read.hash } : {};
  const unchanged = { ...asBackedUp(entry), status: 'unchanged' as const, ...about };
  if (read.size !== entry.size) {
    return mismatch(entry, about, `It has ${read.size} bytes and should have ${entry.size}`);
  }
  const md5 = entry.md5 === undefined ? undefined : Buffer.from(entry.md5, 'base64').toString('hex');
  if (md5 === read.hash) return unchanged;
  // The owner of the source can set its MD5 to anything, and it may have none: then its bytes decide, while they are
  // there.
  const source = await digestOfSource(context, entry, algorithm);
  if (source?.hash === read.hash && source.size === read.size) return unchanged;
  if (source !== undefined) return mismatch(entry, about, 'Its bytes are not those of the source');
  if (md5 !== undefined) return mismatch(entry, about, `Its bytes have the MD5 ${read.hash} and should have ${md5}`);
  return { ...asBackedUp(entry), status: 'skipped', code: 'content-unproved', ...about };
}

/** Undefined if the source no longer has the version that was backed up, or cannot be read. */
async function digestOfSource(
  { source, signal }: ReadContext,
  { name, etag }: Outcome,
  algorithm: Algorithm,
): Promise<Digest | undefined> {
  if (source === undefined) return undefined;
  try {
    return await digest(source.account, source.container, { name, etag }, algorithm, signal);
  } catch (error) {
    if (!isStorageError(error) || error.kind === 'aborted') throw error;
    return undefined;
  }
}

function mismatch(entry: Outcome, about: { sha256?: string }, message: string): ReadOutcome {
  return { ...asBackedUp(entry), status: 'failed', code: 'content-mismatch', message, ...about };
}

function archived(entry: Outcome): ReadBlob {
  return { outcome: { ...asBackedUp(entry), status: 'skipped', code: 'content-archived' } };
}

function failed(entry: Outcome, code: ProblemCode, message?: string): ReadBlob {
  return { outcome: { ...asBackedUp(entry), status: 'failed', code, ...(message !== undefined && { message }) } };
}

/** The code in the terms of a verification, which reads the vault and writes nothing. */
function codeOf(error: StorageError): ProblemCode {
  return error.kind === 'access-denied' ? 'access-denied-vault' : problemCodeOf(error, 'destination');
}
