import { createHash } from 'node:crypto';
import { problemCodeOf } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { hasOtherHash, locate } from '#domain/restore/locate.ts';
import { asBackedUp, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError, type StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import { listNamed, missingOrOther } from '../restore/held-content.ts';
import type { ContentPlace } from '../restore/manifest-walk.ts';

export interface ReadContext {
  vault: ContentPlace;
  /** What was backed up; absent where the job backs up another account by now. */
  source?: { account: BlobAccount; container: string };
  signal: AbortSignal;
}

/** An outcome of reading. */
export interface ReadOutcome extends Outcome {
  /** Hex, of the bytes that were read, where the restore point has no MD5 of them. */
  sha256?: string;
}

/** What came of reading a blob, and what was read. */
export interface ReadBlob {
  outcome: ReadOutcome;
  /** Only where it was read to its end. */
  content?: BlobState;
}

type Algorithm = 'md5' | 'sha256';

/** How often what was seen may turn out to be out of date before the blob is given up for this run. */
const LOOKS = 4;

/**
 * Reads one blob of a restore point in the vault, every byte of it, and compares its length and hash with what was backed up.
 * The read is pinned to what was seen; where that has moved, it is looked for again. Failures are outcomes; only a stop by the
 * signal is thrown.
 */
export async function readBlob(place: ReadContext, planned: PlannedItem): Promise<ReadBlob> {
  const entry = planned.entry!;
  const { account, container, prefix } = place.vault;
  let content: BlobState | undefined = planned.from.etag === '' ? undefined : planned.from;
  let lastError: StorageError | undefined;
  for (let look = 0; look < LOOKS; look++) {
    try {
      if (content === undefined) {
        const found = await listNamed(account, container, prefix + entry.name);
        content = locate(entry, found);
        if (content === undefined) return failed(entry, missingOrOther(entry, found));
        if (hasOtherHash(entry, content)) return failed(entry, 'content-mismatch');
      }
      const algorithm = entry.md5 === undefined ? 'sha256' : 'md5';
      const read = await digest(account, container, content, algorithm, place.signal);
      return { outcome: await judge(place, entry, algorithm, read), content };
    } catch (error) {
      if (!isStorageError(error) || error.kind === 'aborted') throw error;
      if (error.kind === 'archived') return archived(entry);
      if (!OUT_OF_DATE.has(error.kind)) return failed(entry, codeOf(error), error.message);
      lastError = error;
      content = undefined;
    }
  }
  return failed(entry, 'destination-changing', lastError?.message);
}

const OUT_OF_DATE = new Set<StorageErrorKind>(['precondition', 'not-found', 'container-not-found']);

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
  const options = { ifMatch: etag, ...(snapshotOrVersion && { snapshotOrVersion }), signal };
  for await (const bytes of account.readContent(container, name, options)) {
    hash.update(bytes);
    size += bytes.length;
  }
  return { size, hash: hash.digest('hex') };
}

async function judge(place: ReadContext, entry: Outcome, algorithm: Algorithm, read: Digest): Promise<ReadOutcome> {
  const about = algorithm === 'sha256' ? { sha256: read.hash } : {};
  const unchanged = { ...asBackedUp(entry), status: 'unchanged' as const, ...about };
  if (read.size !== entry.size) {
    return mismatch(entry, about, `It has ${read.size} bytes and should have ${entry.size}`);
  }
  const md5 = entry.md5 === undefined ? undefined : Buffer.from(entry.md5, 'base64').toString('hex');
  if (md5 === read.hash) return unchanged;
  // The source's MD5 is a property that its owner can set to anything, or may lack: then its bytes tell, while they are there.
  const source = await digestOfSource(place, entry, algorithm);
  if (source?.hash === read.hash && source.size === read.size) return unchanged;
  if (source !== undefined) return mismatch(entry, about, 'Its bytes are not those of the source');
  if (md5 !== undefined) return mismatch(entry, about, `Its bytes have the MD5 ${read.hash} and should have ${md5}`);
  return { ...asBackedUp(entry), status: 'skipped', code: 'content-unproved', ...about };
}

/** Undefined where the source is no longer at the version that was backed up, or cannot be read. */
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

/** In the words of a verification: nothing is written. */
function codeOf(error: StorageError): ProblemCode {
  return error.kind === 'access-denied' ? 'access-denied-vault' : problemCodeOf(error, 'destination');
}
