import { setTimeout as sleep } from 'node:timers/promises';
import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { Job } from '#config/configuration.ts';
import { type BlobState, otherContentHeader } from '#domain/blobs/blob.ts';
import { SYNC_LIMIT } from '#domain/copying/copy-method.ts';
import { hasSameTags } from '#domain/restore/restore.ts';
import { restoredMetadata } from '#domain/restore/restored-metadata.ts';
import { failedEntry } from '#domain/run/failed-entry.ts';
import { type CopyMethod, isPending, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { VerifyRef } from '#domain/run/run.ts';
import { scratchContainer } from '#domain/verify/scratch-container.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import { accessFor } from '../copying/copy-context.ts';
import { confirmRestore } from '../restore/confirm-restore.ts';
import { restoreBlob } from '../restore/restore-blob.ts';
import type { RestoreContext } from '../restore/restore-route.ts';
import { type ChunkInput, pieceKey } from '../run/chunk.ts';
import type { RunContext } from '../run/run-context.ts';
import { digest, type ReadContext, readBlob } from './read-blob.ts';
import { vaultLocationOf } from './vault-location.ts';

/** Where a drill restores to. */
export interface DrillContext extends ReadContext {
  /** Restores the blobs from the backup container into the scratch container. */
  restore: RestoreContext;
  /** The vault, with an identity that may delete. */
  remover: BlobAccount;
}

/** The vault, with the identity that may delete if there is one. */
export function remover(deps: Dependencies, { retention, destination }: Job): BlobAccount {
  return deps.blobs(retention?.account ?? destination.account);
}

/**
 * What a drill needs to process a piece of blobs of at most `largest` bytes. Each piece has a scratch container of its
 * own, and removes it.
 */
export async function drillContextOf(
  { deps, run, job, container, vault }: RunContext<VerifyRef>,
  input: ChunkInput<VerifyRef>,
  read: ReadContext,
  largest: number,
): Promise<DrillContext> {
  const location = vaultLocationOf(input);
  const destination = scratchContainer(run.id, `${container}/${pieceKey(input)}`);
  const { copyDeadlineMs } = deps.limits;
  return {
    ...read,
    remover: remover(deps, job),
    restore: {
      run,
      // Blobs that an earlier execution left in the scratch container are ours.
      policy: { existing: 'overwrite', original: false },
      method: 'auto',
      source: vault,
      container: location.container,
      sourcePrefix: location.prefix,
      target: vault,
      destination,
      targetPrefix: '',
      makeTarget: () => vault.createContainer(destination),
      access: await accessFor(deps, { source: vault, container: location.container }, largest),
      copyDeadlineMs,
      now: deps.now,
      signal: read.signal,
    },
  };
}

/** Milliseconds between two checks of a pending copy. */
const CHECK_EVERY_MS = 1_000;
/**
 * How often a blob is restored and compared before it fails: another execution of the same piece may remove it, or be
 * about to finish it.
 */
const TRIES = 4;

/**
 * Restores one blob of a restore point into the scratch container, compares it with the blob in the vault, byte by byte
 * and in everything else that a restore writes, and deletes it again. Failures are outcomes; only a stop by the signal
 * is thrown.
 */
export async function drillBlob(context: DrillContext, planned: PlannedItem): Promise<Outcome> {
  const entry = planned.entry!;
  let lastError: StorageError | undefined;
  let difference: string | undefined;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    difference = undefined;
    const { outcome, content } = await readBlob(context, planned);
    if (content === undefined || outcome.status === 'failed') return outcome;
    const made = await restored(context, { ...planned, from: content });
    if (made.status === 'failed') return made;
    try {
      const target = await inScratch(context, entry.name);
      if (target === undefined) continue;
      difference = (await otherBytes(context, content, target)) ?? otherThan(entry, content, target, made);
      if (difference !== undefined) continue;
      const left = await remove(context, target);
      return left === undefined ? outcome : { ...outcome, code: 'access-denied-prune', message: left };
    } catch (error) {
      if (!isStorageError(error) || error.kind === 'aborted') throw error;
      lastError = error;
    }
  }
  if (difference !== undefined)
    return failedEntry(entry, 'content-mismatch', `Restored to ${context.restore.destination}, it ${difference}`);
  const code = lastError ? problemCodeOf(lastError, 'destination') : 'target-changing';
  return failedEntry(entry, code, lastError?.message);
}

async function restored({ restore, signal }: DrillContext, planned: PlannedItem): Promise<Outcome> {
  const { type, size } = planned.from;
  // Asynchronous only where the account offers no other: an empty blob has no blocks.
  const methods: CopyMethod[] = [...(size <= SYNC_LIMIT ? (['sync'] as const) : []), 'blocks', 'async'];
  let made = await restoreBlob(restore, planned, { started: 0, ...(type === 'block' && { methods }) });
  while (isPending(made)) {
    // The service copies page and append blobs asynchronously, and may take its time.
    await sleep(CHECK_EVERY_MS, undefined, { signal });
    made = await confirmRestore(restore, made);
  }
  return made;
}

async function otherBytes(context: DrillContext, content: BlobState, target: BlobState): Promise<string | undefined> {
  const { restore, signal } = context;
  const [one, other] = await Promise.all([
    digest(restore.source, restore.container, content, signal),
    digest(restore.target, restore.destination, target, signal),
  ]);
  return one.sha256 === other.sha256 && one.size === other.size ? undefined : 'has other bytes than the vault';
}

/**
 * An account that refused one of tags, tier and seal may have refused another: an outcome has one code, so what it does
 * not name is not known.
 */
const REFUSED = new Set<ProblemCode>(['tags-not-read', 'tags-not-written', 'tier-not-kept', 'seal-not-kept']);

/** How a restored blob differs from the blob in the vault, apart from what the restore reports that it lacks. */
function otherThan(entry: Outcome, content: BlobState, target: BlobState, made: Outcome): string | undefined {
  if (target.type !== content.type) return 'is of another type';
  const header = otherContentHeader(content, target);
  if (header !== undefined) return `has another ${header}`;
  if (asText(restoredMetadata(entry, content).metadata) !== asText(target.metadata ?? {})) return 'has other metadata';
  const isLacking = [entry.code, made.code].some((code) => code !== undefined && REFUSED.has(code));
  if (!isLacking && target.tags !== undefined && !hasSameTags(entry, target)) return 'has other tags';
  const hasTier = entry.tier !== undefined && entry.tier !== 'Archive' && content.type === 'block';
  if (!isLacking && hasTier && entry.tier !== target.tier) return 'has another tier';
  return undefined;
}

function asText(metadata: Record<string, string>): string {
  return JSON.stringify(Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A restored blob as a listing shows it, with its tags if the app may read them. */
async function inScratch({ restore }: DrillContext, name: string): Promise<BlobState | undefined> {
  const { target, destination } = restore;
  const options = { prefix: name, metadata: true, contentHeaders: true };
  try {
    const { blobs } = await target.listBlobs(destination, { ...options, tags: true });
    const found = blobs.find((blob) => blob.name === name);
    return found && { tags: {}, ...found };
  } catch (error) {
    if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
    const { blobs } = await target.listBlobs(destination, options);
    return blobs.find((blob) => blob.name === name);
  }
}

/** The message about a restored blob that the app may not delete, and that stays. */
async function remove({ remover, restore }: DrillContext, { name, etag }: BlobState): Promise<string | undefined> {
  try {
    await remover.deleteBlob(restore.destination, name, { ifMatch: etag });
  } catch (error) {
    if (!isStorageError(error)) throw error;
    if (error.kind === 'access-denied') {
      return `Restored blobs are left in container ${restore.destination} of ${remover.alias}: ${error.message}`;
    }
    // In any other case the removal of the container removes the blob.
  }
  return undefined;
}

/** Removes the scratch container of a piece once its outcomes are stored. If that fails, the next drill removes it. */
export async function endDrill({ remover, restore }: DrillContext): Promise<void> {
  await removeScratch(remover, restore.destination);
}

export async function removeScratch(account: BlobAccount, container: string): Promise<void> {
  try {
    await account.deleteContainer(container);
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
}
