import { createHash } from 'node:crypto';
import { listNamed } from '#app/list-named.ts';
import type { ContentLocation } from '#app/manifest-walk.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { vaultNameOf } from '#domain/copying/vault-name.ts';
import { holderKey, isArchived, locate, missingOrOther } from '#domain/restore/locate.ts';
import { asBackedUp, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { type ContentVerdict, contentVerdict, type ReadContent } from '#domain/verify/content-verdict.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError, type StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import { MAX_CHECKS } from '../copying/copy-limits.ts';

export interface ReadContext {
  vault: ContentLocation;
  /** The container that was backed up; absent if the job now backs up another account. */
  source?: { account: BlobAccount; container: string };
  signal: AbortSignal;
}

/** The result of reading a blob. */
export interface ReadBlob {
  outcome: Outcome;
  /** The blob, if it was read to its end. */
  content?: BlobState;
}

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
      return await readContent(context, planned, content);
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
  const found = await listNamed(vault.account, vault.container, vault.prefix + vaultNameOf(entry));
  return locate(entry, found) === undefined ? missingOrOther(entry, found) : locate(entry, found, unreadable);
}

async function readContent(context: ReadContext, planned: PlannedItem, content: BlobState): Promise<ReadBlob> {
  const { vault, signal } = context;
  const { entry, proved } = planned;
  const read = await digest(vault.account, vault.container, content, signal);
  const own = contentVerdict(entry!, read, undefined, proved);
  // Most content proves itself, and no source can prove a wrong length. The source is read only for the rest.
  const isClear = own.is === 'sound' || read.size !== entry!.size;
  const verdict = isClear ? own : contentVerdict(entry!, read, await digestOfSource(context, entry!), proved);
  return { outcome: outcomeOf(entry!, verdict, read), content };
}

function outcomeOf(entry: Outcome, verdict: ContentVerdict, { sha256 }: ReadContent): Outcome {
  const about = { ...asBackedUp(entry), sha256 };
  switch (verdict.is) {
    case 'sound':
      return { ...about, status: 'unchanged' };
    case 'mismatch':
      return { ...about, status: 'failed', code: 'content-mismatch', message: verdict.message };
    case 'unproved':
      return { ...about, status: 'skipped', code: 'content-unproved', message: verdict.message };
  }
}

/** Hashes the bytes as they come: memory does not grow with the blob. */
export async function digest(
  account: BlobAccount,
  container: string,
  { name, etag, snapshotOrVersion }: Pick<BlobState, 'name' | 'etag' | 'snapshotOrVersion'>,
  signal: AbortSignal,
): Promise<ReadContent> {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let size = 0;
  const options = { ifMatch: etag, signal, ...(snapshotOrVersion && { snapshotOrVersion }) };
  for await (const bytes of account.readContent(container, name, options)) {
    md5.update(bytes);
    sha256.update(bytes);
    size += bytes.length;
  }
  return { size, md5: md5.digest('base64'), sha256: sha256.digest('hex') };
}

/** Undefined if the source no longer has the version that was backed up, or cannot be read. */
async function digestOfSource(
  { source, signal }: ReadContext,
  { name, etag }: Outcome,
): Promise<ReadContent | undefined> {
  if (source === undefined) return undefined;
  try {
    return await digest(source.account, source.container, { name, etag }, signal);
  } catch (error) {
    if (!isStorageError(error) || error.kind === 'aborted') throw error;
    return undefined;
  }
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
