import { problemCodeOf } from '#app/problem-code.ts';
import { type Archived, claim, ended, type Receipt, type SourceVersion, standingOf } from '#domain/archive/receipt.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { SYNC_LIMIT } from '#domain/copying/copy-method.ts';
import { isWhole } from '#domain/copying/decision.ts';
import { readRecord, tagsAreWithheld } from '#domain/copying/record.ts';
import { isPending, type Outcome, outcomeOf, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { FoundReceipt } from '#storage/control/receipt-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { confirmCopy } from '../copying/confirm-copy.ts';
import { copyBlob } from '../copying/copy-blob.ts';
import type { BackupContext } from '../copying/copy-context.ts';
import { targetName } from '../copying/route.ts';
import { lookAtSource } from '../copying/source-version.ts';
import { listNamed } from '../restore/held-content.ts';
import type { ArchiveContext } from './archive-context.ts';

/** What came of trying to archive one version. */
export type Archiving =
  /** `copied` now, `unchanged` where it had been archived before, `skipped` where nobody can, or `failed`. */
  | { is: 'settled'; outcome: Outcome }
  /** A copy that the service has not finished: look again. The claim goes on meanwhile. */
  | { is: 'pending'; copy: PendingCopy }
  /** Somebody else is at it. */
  | { is: 'held'; forMs: number }
  /** The source is at another version by now, or gone: look at it again. */
  | { is: 'passed' };

/** More rounds than this would be no race for the claim. */
const ROUNDS = 5;

/**
 * Archives one version of a blob, exactly once whatever else tries the same: claims its receipt, copies pinned to the ETag,
 * and ends the receipt. Each step may be the last before a crash; whoever comes after finds in the receipt, and at the
 * destination itself, how far it got. `source` is the blob as it was seen just now; `seen` is its receipt, where that was read
 * already. Throws nothing of storage: failures are outcomes.
 */
export async function archiveVersion(
  place: ArchiveContext,
  source: BlobState,
  seen?: { receipt: FoundReceipt | undefined },
): Promise<Archiving> {
  const code = refusalOf(place, source);
  if (code) return settled(outcomeOf(source, 'skipped', { code }));
  const { receipts, owner, copying, claimMs } = place;
  try {
    let found = seen ? seen.receipt : await receipts.read(source.name, source.etag);
    for (let round = 0; round < ROUNDS; round++) {
      const before = found?.value;
      const standing = standingOf(before, owner, copying.now());
      if (standing.is === 'held') return standing;
      if (standing.is === 'ended') return settled(outcomeOf(source, 'unchanged', vaultEtagOf(before)));
      const value = claim(before, place.rule, versionOf(place, source), owner, copying.now(), claimMs);
      const etag = await receipts.write(value, found ? { ifMatch: found.etag } : 'absent');
      if (etag !== undefined) return await carryOut(place, source, { value, etag });
      found = await receipts.read(source.name, source.etag);
    }
    return { is: 'held', forMs: claimMs };
  } catch (error) {
    return settled(failureOf(source, error));
  }
}

/** Looks at a copy that was pending, and ends its receipt when the copy has come to an end. */
export async function confirmVersion(place: ArchiveContext, copy: PendingCopy): Promise<Archiving> {
  const { from: source } = copy.planned;
  const result = await confirmCopy(place.copying, copy);
  if (isPending(result)) return { is: 'pending', copy: result };
  try {
    return await finish(place, source, result, await place.receipts.read(source.name, source.etag));
  } catch (error) {
    return settled(failureOf(source, error));
  }
}

/**
 * Ends the receipt of a version that the source no longer has, whose owner may have died before it could: what lies at the
 * destination tells whether it was archived in time.
 */
export async function endPassed(place: ArchiveContext, { value, etag }: FoundReceipt): Promise<void> {
  if (!value || value.state === 'done' || value.state === 'missed') return;
  const { name, size, modified } = value.source;
  const source: BlobState = { name, etag: value.source.etag, lastModified: modified, size, type: 'block' };
  const copy = await copyOf(place, source);
  const now = place.copying.now();
  const end = copy
    ? ended(value, 'done', now, { archived: archivedAs(place, source, copy.etag, {}) })
    : ended(value, 'missed', now, { problem: { code: 'source-vanished' } });
  // Whoever wrote it meanwhile knows more.
  await place.receipts.write(end, { ifMatch: etag });
}

/** The copy of a version, where it lies: under its name, or kept, where the version after it has been archived over it. */
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

async function carryOut(place: ArchiveContext, source: BlobState, claimed: Claimed): Promise<Archiving> {
  const { copy } = claimed.value;
  const { copying } = place;
  const planned = { from: source, reason: 'new' } as const;
  const result = copy
    ? await confirmCopy(copying, { planned, ...pendingOf(copy) })
    : await copyBlob(copying, source.size > SYNC_LIMIT ? await lookedAt(copying, planned) : planned);
  if (!isPending(result)) return finish(place, source, result, claimed);
  const { copyId: id, startedAt, tries, lacks } = result;
  // Where this is not written, the copy is found at the destination by its record.
  await place.receipts.write(
    { ...claimed.value, copy: { id, startedAt, tries, ...(lacks && { lacks }) } },
    { ifMatch: claimed.etag },
  );
  return { is: 'pending', copy: result };
}

/** What is small is copied as if nothing were there, and looked at when that is refused: gigabytes in blocks are not sent to find out. */
async function lookedAt(copying: BackupContext, planned: PlannedItem): Promise<PlannedItem> {
  const mirror = await copying.target.getProperties(copying.destination, targetName(copying, planned));
  return { ...planned, ...(mirror && { to: mirror }) };
}

/** Writes what came of it into the receipt, whoever may have taken that over meanwhile: the copy has been seen. */
async function finish(
  place: ArchiveContext,
  source: BlobState,
  outcome: Outcome,
  found: FoundReceipt | undefined,
): Promise<Archiving> {
  const mayHavePassed = outcome.code === 'source-changing' || outcome.code === 'source-vanished';
  // The service says the same of a source that it cannot reach.
  const passed = mayHavePassed && !(await isPresent(place, source));
  const copy = passed ? await copyOf(place, source) : undefined;
  const archived =
    outcome.status === 'copied' || outcome.status === 'unchanged'
      ? archivedAs(place, source, outcome.vaultEtag ?? '', outcome)
      : copy && archivedAs(place, source, copy.etag, {});
  const now = place.copying.now();
  let known = found;
  for (let round = 0; round < ROUNDS; round++) {
    const before = known?.value ?? claim(undefined, place.rule, versionOf(place, source), place.owner, now, 0);
    if (before.state === 'done') break;
    // Others may manage what we did not: their claim stands.
    if (!archived && before.owner !== place.owner) break;
    const end = archived
      ? ended(before, 'done', now, { archived })
      : ended(before, passed ? 'missed' : 'failed', now, { problem: problemIn(outcome) });
    if (await place.receipts.write(end, known ? { ifMatch: known.etag } : 'absent')) break;
    known = await place.receipts.read(source.name, source.etag);
  }
  return passed ? { is: 'passed' } : settled(outcome);
}

async function isPresent({ copying }: ArchiveContext, source: BlobState): Promise<boolean> {
  return (await lookAtSource(copying.source, copying.container, source))?.etag === source.etag;
}

/** What keeps a blob from being archived at all, and needs no receipt to be told. */
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
  return {
    account: copying.source.endpoint,
    container: copying.container,
    name,
    etag,
    modified: lastModified,
    size,
  };
}

function archivedAs(
  { copying }: ArchiveContext,
  source: BlobState,
  etag: string,
  { method, code }: Pick<Outcome, 'method' | 'code'>,
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

/** What the service refused for good, told of this one blob; anything else is thrown on. */
export function failureOf(source: BlobState, error: unknown): Outcome {
  if (!isStorageError(error) || error.kind === 'aborted') throw error;
  return outcomeOf(source, 'failed', { code: problemCodeOf(error, 'destination'), message: error.message, source });
}
