import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf, type Side } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { SYNC_LIMIT } from '#domain/copying/copy-method.ts';
import { redact } from '#domain/redact.ts';
import { type Outcome, outcomeOf, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { FoundReceipt } from '#storage/control/receipt-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { lookAtSource } from '../copying/source-version.ts';
import { type ArchiveContext, archiveContextFor } from './archive-context.ts';
import { type Archiving, archiveVersion, confirmVersion, endPassed, failureOf } from './archive-version.ts';

/** An upload that somebody has told of. */
export interface Upload {
  rule: string;
  name: string;
  /** The version that it was told of; the one that is there is what is archived. */
  etag?: string;
  /** Owns the claim: the same each time that the same event is worked on again. */
  owner: string;
}

/** Small: it is kept in histories. */
export type UploadResult =
  | { is: 'archived'; etag: string; seconds: number }
  /** It had been archived before. */
  | { is: 'duplicate' }
  /** There is no such blob (any more). */
  | { is: 'gone' }
  /** Of a kind, or with a name, that cannot be archived. */
  | { is: 'skipped'; code: ProblemCode }
  /** To be looked at again: a copy is pending, or, for so many seconds, somebody else is at it. */
  | { is: 'pending' }
  | { is: 'held'; seconds: number }
  | { is: 'failed'; code: ProblemCode; message: string };

/** How many versions in a row may be overtaken by the next before the event is given up for now. */
const LOOKS = 4;

/**
 * Archives the version of a blob that is there now. An event is a hint: the source is looked at in any case, but for a version
 * whose receipt is done, which costs one request. Safe to run twice, also at the same time.
 */
export async function archiveUpload(deps: Dependencies, upload: Upload): Promise<UploadResult> {
  const { name, etag } = upload;
  let side: Side = 'source';
  try {
    const placeFor = (size: number) => archiveContextFor(deps, upload.rule, upload.owner, size);
    const place = await placeFor(SYNC_LIMIT);
    // From here on, what the source refuses says so itself.
    side = 'destination';
    const { source, container } = place.copying;
    if (!source.canAddress(container, name)) return { is: 'skipped', code: 'unsupported-name' };
    const told = etag === undefined ? undefined : await place.receipts.read(name, etag);
    if (told?.value?.state === 'done') return { is: 'duplicate' };
    const seen = etag === undefined ? undefined : { etag, receipt: told };
    const result = resultOf(deps, await archivePresent(place, name, seen, placeFor));
    if (result.is === 'archived') deps.telemetry.uploadArchived(upload.rule, result.seconds);
    return result;
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { is: 'failed', code: problemCodeOf(error, side), message: redact(error.message) };
  }
}

/** The same in a run, for a blob that it has listed, or, where that has no ETag, that an event has told of. */
export async function archivePlanned(
  place: ArchiveContext,
  { from: source, reason }: PlannedItem,
): Promise<Outcome | PendingCopy> {
  if (source.etag === '') return asOutcome(place, source, { is: 'passed' });
  // What was listed without a receipt most likely has none; if it has by now, claiming it shows that.
  const seen = reason === 'new' ? { receipt: undefined } : undefined;
  return asOutcome(place, source, await archiveVersion(place, source, seen));
}

/** A copy that a run has been waiting for. */
export async function confirmPlanned(place: ArchiveContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  return asOutcome(place, copy.planned.from, await confirmVersion(place, copy), copy);
}

async function asOutcome(
  place: ArchiveContext,
  source: BlobState,
  first: Archiving,
  before?: PendingCopy,
): Promise<Outcome | PendingCopy> {
  let last: Archiving | { is: 'gone' } = first;
  try {
    if (first.is === 'passed') last = await archivePresent(place, source.name);
  } catch (error) {
    // The others of the run are none the worse for it.
    return failureOf(source, error);
  }
  switch (last.is) {
    case 'settled':
      return last.outcome;
    case 'pending':
      // What has not changed is not written again.
      return before?.copyId === last.copy.copyId && before.tries === last.copy.tries ? before : last.copy;
    case 'held':
      return outcomeOf(source, 'skipped', { code: 'being-archived' });
    case 'passed':
      return outcomeOf(source, 'failed', { code: 'source-changing', source });
    case 'gone':
      return outcomeOf(source, 'skipped', { code: 'source-vanished' });
  }
}

/**
 * Archives whatever version is there, and follows it when it is overtaken. `seen` is the receipt of the version that was told of;
 * `placeFor` gives access for as long as the copy of a larger blob may take.
 */
async function archivePresent(
  place: ArchiveContext,
  name: string,
  seen?: { etag: string; receipt: FoundReceipt | undefined },
  placeFor?: (size: number) => Promise<ArchiveContext>,
): Promise<Archiving | { is: 'gone' }> {
  for (let look = 0; look < LOOKS; look++) {
    const source = await present(place.copying.source, place.copying.container, name);
    const isSeen = look === 0 && seen !== undefined && seen.etag === source?.etag;
    // Before another version takes its place at the destination.
    if (look === 0 && seen?.receipt && !isSeen) await endPassed(place, seen.receipt);
    if (source === undefined) return { is: 'gone' };
    const large = source.size > SYNC_LIMIT ? await placeFor?.(source.size) : undefined;
    const last = await archiveVersion(large ?? place, source, isSeen ? { receipt: seen.receipt } : undefined);
    if (last.is !== 'passed') return last;
  }
  return { is: 'passed' };
}

/** Accounts whose index tags may not be read, or that have none: asked for once. */
const untagged = new WeakSet<BlobAccount>();

async function present(account: BlobAccount, container: string, name: string): Promise<BlobState | undefined> {
  const nameOnly: BlobState = { name, etag: '', lastModified: '', size: 0, type: 'block' };
  if (untagged.has(account)) return lookAtSource(account, container, nameOnly);
  try {
    return await lookAtSource(account, container, { ...nameOnly, tags: {} });
  } catch (error) {
    if (!isStorageError(error, 'source-access-denied', 'invalid', 'unsupported')) throw error;
    const found = await lookAtSource(account, container, nameOnly);
    untagged.add(account);
    return found;
  }
}

function resultOf(deps: Dependencies, last: Archiving | { is: 'gone' }): UploadResult {
  switch (last.is) {
    case 'gone':
    case 'pending':
      return { is: last.is };
    case 'held':
      return { is: 'held', seconds: Math.ceil(last.forMs / 1000) + 1 };
    case 'passed':
      return { is: 'failed', code: 'source-changing', message: 'It changed each time it was about to be copied' };
    case 'settled':
      break;
  }
  const { status, code = 'internal', message = '', etag, modified } = last.outcome;
  if (status === 'unchanged') return { is: 'duplicate' };
  if (status === 'skipped') return { is: 'skipped', code };
  if (status === 'failed') return { is: 'failed', code, message: redact(message) };
  return { is: 'archived', etag, seconds: Math.max(deps.now().getTime() - Date.parse(modified), 0) / 1000 };
}
