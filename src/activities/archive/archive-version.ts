import { listNamed } from '#app/list-named.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { type Archived, claim, ended, type Receipt, type SourceVersion, standingOf } from '#domain/archive/receipt.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { SYNC_LIMIT } from '#domain/copying/copy-method.ts';
import { isWhole } from '#domain/copying/decision.ts';
import { beyondCopy, readRecord, tagsAreWithheld } from '#domain/copying/record.ts';
import {
  type Copied,
  isPending,
  type Outcome,
  outcomeOf,
  type PendingCopy,
  type PlannedItem,
} from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { FoundReceipt } from '#storage/control/receipt-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { confirmCopy } from '../copying/confirm-copy.ts';
import { copyBlob } from '../copying/copy-blob.ts';
import type { BackupContext } from '../copying/copy-context.ts';
import { targetName } from '../copying/route.ts';
import { findSourceVersion } from '../copying/source-version.ts';
import type { ArchiveContext } from './archive-context.ts';

/** The result of an attempt to archive one version. */
export type Archiving =
  /** `copied` now, `unchanged` if it was archived before, `skipped` if it cannot be archived, or `failed`. */
  | { is: 'settled'; outcome: Outcome }
  /** The service has not finished the copy. The claim stays meanwhile. */
  | { is: 'pending'; copy: PendingCopy }
  /** Another owner holds the claim. */
  | { is: 'held'; forMs: number }
  /** The source has another version by now, or none. */
  | { is: 'passed' };

/** How often a write to a receipt is tried while other owners change it. */
const MOST_ROUNDS = 5;

/**
 * Archives one version of a blob, exactly once even if others try the same: claims its receipt, makes a copy pinned to
 * the ETag, and ends the receipt. Any step may be the last before a crash; the next attempt finds in the receipt, and
 * at the destination, how far it got. `source` is the blob as it was seen just now; `seen` is its receipt, if it was
 * read already. Throws no `StorageError`: failures are outcomes.
 */
export async function archiveVersion(
  context: ArchiveContext,
  source: BlobState,
  seen?: { receipt: FoundReceipt | undefined },
): Promise<Archiving> {
  const code = refusalOf(context, source);
  if (code) return settled(outcomeOf(source, 'skipped', { code }));
  const { rule, receipts, owner, copying, claimMs } = context;
  try {
    let found = seen ? seen.receipt : await receipts.read(source.name, source.etag);
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const before = found?.value;
      const standing = standingOf(before, owner, copying.now());
      if (standing.is === 'held') return standing;
      if (standing.is === 'settled') return settled(outcomeOf(source, 'skipped', { code: 'settled-by-operator' }));
      if (standing.is === 'ended') return settled(outcomeOf(source, 'unchanged', vaultEtagOf(before)));
      const value = claim(before, rule, versionOf(context, source), owner, copying.now(), claimMs);
      const etag = await receipts.write(value, found ? { ifMatch: found.etag } : 'absent');
      if (etag !== undefined) return await carryOut(context, source, { value, etag });
      found = await receipts.read(source.name, source.etag);
    }
    return { is: 'held', forMs: claimMs };
  } catch (error) {
    return settled(failedUpload(source, error));
  }
}

/** Checks a copy that was pending, and ends its receipt when the copy has ended. */
export async function confirmVersion(context: ArchiveContext, copy: PendingCopy): Promise<Archiving> {
  const { from: source } = copy.planned;
  const result = await confirmCopy(context.copying, copy);
  if (isPending(result)) return { is: 'pending', copy: result };
  try {
    return await finish(context, source, result, await context.receipts.read(source.name, source.etag));
  } catch (error) {
    return settled(failedUpload(source, error));
  }
}

/**
 * Ends the receipt of a version that the source no longer has, because its owner may have died. The destination shows
 * whether the version was archived in time.
 */
export async function endPassed(context: ArchiveContext, { value, etag }: FoundReceipt): Promise<void> {
  if (!value || value.state === 'done' || value.state === 'missed' || value.state === 'settled') return;
  const { name, size, modified } = value.source;
  const source: BlobState = { name, etag: value.source.etag, lastModified: modified, size, type: 'block' };
  const copy = await copyOf(context, source);
  const now = context.copying.now();
  const end = copy
    ? ended(value, 'done', now, { archived: archivedAs(context, source, copy.etag, {}) })
    : ended(value, 'missed', now, { problem: { code: 'source-vanished' } });
  // If another owner has written the receipt meanwhile, that owner knows more.
  await context.receipts.write(end, { ifMatch: etag });
}

/** The copy of a version: under its name, or as a snapshot or version if a later version was archived over it. */
async function copyOf({ copying }: ArchiveContext, source: BlobState): Promise<BlobState | undefined> {
  const { target, destination } = copying;
  const name = targetName(copying, { from: source });
  const isIt = (blob: BlobState) =>
    isWhole(blob) && readRecord(blob.metadata)?.etag === source.etag && blob.size === source.size;
  const base = await target.getProperties(destination, name);
  return base && (isIt(base) ? base : (await listNamed(target, destination, name)).find(isIt));
}

interface Claimed {
  value: Receipt;
  etag: string;
}

async function carryOut(context: ArchiveContext, source: BlobState, claimed: Claimed): Promise<Archiving> {
  const { copy } = claimed.value;
  const { copying } = context;
  const planned = { from: source, reason: 'new' } as const;
  const result = copy
    ? await confirmCopy(copying, { planned, ...pendingOf(copy) })
    : await copyBlob(copying, source.size > SYNC_LIMIT ? await withDestination(copying, planned) : planned);
  if (!isPending(result)) return finish(context, source, result, claimed);
  const { copyId: id, startedAt, tries, lacks } = result;
  // If this write fails, the next attempt finds the copy at the destination by its record.
  await context.receipts.write(
    { ...claimed.value, copy: { id, startedAt, tries, ...(lacks && { lacks }) } },
    { ifMatch: claimed.etag },
  );
  return { is: 'pending', copy: result };
}

/**
 * Adds the state of the destination. A small blob is copied without it, as if nothing were there, until the service
 * refuses; a large one would be sent in blocks for nothing.
 */
async function withDestination(copying: BackupContext, planned: PlannedItem): Promise<PlannedItem> {
  const present = await copying.target.getProperties(copying.destination, targetName(copying, planned));
  return { ...planned, ...(present && { to: present }) };
}

/** Ends the receipt with the outcome, even if another owner has taken it over meanwhile: this one has seen the copy. */
async function finish(
  context: ArchiveContext,
  source: BlobState,
  outcome: Outcome,
  found: FoundReceipt | undefined,
): Promise<Archiving> {
  const mayHavePassed = outcome.code === 'source-changing' || outcome.code === 'source-vanished';
  // The service answers the same for a source that it cannot reach.
  const passed = mayHavePassed && !(await isPresent(context, source));
  const archived = await archivedBy(context, source, outcome, passed);
  const now = context.copying.now();
  await endReceipt(context, source, found, now, (before) => {
    if (archived) return ended(before, 'done', now, { archived });
    // An operator has settled it meanwhile.
    if (before.state === 'settled') return undefined;
    // A claim of another owner stays: that owner may succeed where this one failed.
    if (before.owner !== context.owner) return undefined;
    return ended(before, passed ? 'missed' : 'failed', now, { problem: problemIn(outcome) });
  });
  return passed ? { is: 'passed' } : settled(outcome);
}

/** The evidence for the receipt, if there is a copy. */
async function archivedBy(
  context: ArchiveContext,
  source: BlobState,
  outcome: Outcome,
  passed: boolean,
): Promise<Archived | undefined> {
  if (outcome.status === 'copied' || outcome.status === 'unchanged') {
    return archivedAs(context, source, outcome.vaultEtag ?? '', outcome);
  }
  const copy = passed ? await copyOf(context, source) : undefined;
  return copy && archivedAs(context, source, copy.etag, {});
}

/** Writes the end of a receipt, unless it is done, or `endOf` leaves it as it is. */
async function endReceipt(
  context: ArchiveContext,
  source: BlobState,
  found: FoundReceipt | undefined,
  now: Date,
  endOf: (before: Receipt) => Receipt | undefined,
): Promise<void> {
  const { rule, receipts, owner } = context;
  let known = found;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const before = known?.value ?? claim(undefined, rule, versionOf(context, source), owner, now, 0);
    if (before.state === 'done') break;
    const end = endOf(before);
    if (!end || (await receipts.write(end, known ? { ifMatch: known.etag } : 'absent'))) break;
    known = await receipts.read(source.name, source.etag);
  }
}

async function isPresent({ copying }: ArchiveContext, source: BlobState): Promise<boolean> {
  return (await findSourceVersion(copying.source, copying.container, source))?.etag === source.etag;
}

/** Why a blob cannot be archived at all. Needs no receipt. */
function refusalOf({ copying }: ArchiveContext, source: BlobState): ProblemCode | undefined {
  if (source.isDirectory) return 'directory';
  if (source.tier === 'Archive') return 'source-archived';
  const canBeNamed =
    copying.source.canAddress(copying.container, source.name) &&
    copying.target.canAddress(copying.destination, targetName(copying, { from: source }));
  return canBeNamed ? undefined : 'unsupported-name';
}

function versionOf({ copying }: ArchiveContext, source: BlobState): SourceVersion {
  const { name, etag, lastModified, size } = source;
  const metadata = beyondCopy(source.metadata);
  return {
    account: copying.source.endpoint,
    container: copying.container,
    name,
    etag,
    modified: lastModified,
    size,
    ...(metadata && { metadata }),
  };
}

function archivedAs(
  { copying }: ArchiveContext,
  source: BlobState,
  etag: string,
  { method, code }: Pick<Copied, 'method' | 'code'>,
): Archived {
  return {
    account: copying.target.endpoint,
    container: copying.destination,
    name: targetName(copying, { from: source }),
    etag,
    ...(method && { method }),
    ...lacking(code ?? (tagsAreWithheld(source) ? 'tags-not-read' : undefined)),
  };
}

function lacking(lacks: ProblemCode | undefined): { lacks?: ProblemCode } {
  return lacks ? { lacks } : {};
}

function pendingOf({ id, ...copy }: NonNullable<Receipt['copy']>): Omit<PendingCopy, 'planned'> {
  return { ...copy, copyId: id };
}

function vaultEtagOf(receipt: Receipt | undefined): { vaultEtag?: string } {
  const etag = receipt?.archived?.etag;
  return etag ? { vaultEtag: etag } : {};
}

function problemIn({ code = 'internal', message }: Outcome): NonNullable<Receipt['problem']> {
  return { code, ...(message !== undefined && { message }) };
}

function settled(outcome: Outcome): Archiving {
  return { is: 'settled', outcome };
}

/** The outcome of a blob that storage failed. Throws any other error. */
export function failedUpload(source: BlobState, error: unknown): Outcome {
  if (!isStorageError(error) || error.kind === 'aborted') throw error;
  return outcomeOf(source, 'failed', { code: problemCodeOf(error, 'destination'), message: error.message, source });
}
