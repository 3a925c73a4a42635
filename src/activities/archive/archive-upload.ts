import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf, type Side } from '#app/problem-code.ts';
import { untilNextLook, untilQuiet } from '#domain/archive/quiet.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { SYNC_LIMIT } from '#domain/copying/copy-method.ts';
import { redact } from '#domain/redact.ts';
import { type Outcome, outcomeOf, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { TracePlace } from '#domain/run/trace.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { FoundReceipt } from '#storage/control/receipt-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { findSourceVersion } from '../copying/source-version.ts';
import { type ArchiveContext, archiveContextFor } from './archive-context.ts';
import { type Archiving, archiveVersion, confirmVersion, endPassed, failedUpload } from './archive-version.ts';

/** An upload that an event announced. */
export interface Upload {
  rule: string;
  name: string;
  /** The announced version. Strongroom archives the version that is there. */
  etag?: string;
  /** Owns the claim: the same in every attempt for one event. */
  owner: string;
  /** What caused it, if the event says so; `traceOfUpload` returns the place of the upload itself. */
  trace?: TracePlace;
}

/** Small: histories store it. */
export type UploadResult =
  | { is: 'archived'; etag: string; seconds: number }
  /** It was archived before. */
  | { is: 'duplicate' }
  /** The blob does not exist, or no longer. */
  | { is: 'gone' }
  /** Its kind or its name cannot be archived. */
  | { is: 'skipped'; code: ProblemCode }
  /** To be tried again: the copy is pending. */
  | { is: 'pending' }
  /** To be tried again: another owner holds the claim of this version for this many seconds. */
  | { is: 'held'; etag: string; seconds: number }
  /** To be tried again: the blob still changes. If this version stays, it may be archived in this many seconds. */
  | { is: 'changing'; etag: string; seconds: number }
  | { is: 'failed'; code: ProblemCode; message: string };

/** How many versions in a row may be replaced by the next one before the attempt fails. */
const MOST_VERSIONS = 4;

/**
 * Archives the present version of a blob. An event is a hint: unless the receipt of the announced version is done,
 * which costs one request, the source is always checked. Safe to run twice, also at the same time.
 */
export async function archiveUpload(deps: Dependencies, upload: Upload): Promise<UploadResult> {
  const { name, etag } = upload;
  let side: Side = 'source';
  try {
    const contextFor = (size: number) => archiveContextFor(deps, upload.rule, upload.owner, size);
    const context = await contextFor(SYNC_LIMIT);
    // From here on, errors of the source say so themselves.
    side = 'destination';
    const { source, container } = context.copying;
    if (!source.canAddress(container, name)) return { is: 'skipped', code: 'unsupported-name' };
    const seen = etag === undefined ? undefined : { etag, receipt: await context.receipts.read(name, etag) };
    if (seen?.receipt?.value?.state === 'done') return { is: 'duplicate' };
    return logged(deps, upload, resultOf(deps, await archivePresent(context, name, seen, contextFor)));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const code = problemCodeOf(error, side);
    return logged(deps, upload, { is: 'failed', code, message: redact(error.message) });
  }
}

function logged(deps: Dependencies, { rule }: Upload, result: UploadResult): UploadResult {
  if (result.is === 'archived') deps.telemetry.uploadArchived(rule, result.seconds);
  if (result.is === 'failed') deps.telemetry.uploadFailed(rule, result.code, result.message);
  return result;
}

/** The same in a run, for a blob that it listed or, if that has no ETag, that an event announced. */
export async function archivePlanned(
  context: ArchiveContext,
  { from: source, reason }: PlannedItem,
): Promise<Outcome | PendingCopy> {
  if (source.etag === '') return asOutcome(context, source, { is: 'passed' });
  // A blob listed without a receipt most likely has none. If it has one by now, the claim finds it.
  const seen = reason === 'new' ? { receipt: undefined } : undefined;
  return asOutcome(context, source, await archiveVersion(context, source, seen));
}

/** The same for a copy that a run waits for. */
export async function confirmPlanned(context: ArchiveContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  return asOutcome(context, copy.planned.from, await confirmVersion(context, copy), copy);
}

async function asOutcome(
  context: ArchiveContext,
  source: BlobState,
  first: Archiving,
  before?: PendingCopy,
): Promise<Outcome | PendingCopy> {
  let last: Archiving | Present = first;
  try {
    if (first.is === 'passed') last = await archivePresent(context, source.name);
  } catch (error) {
    // The failure concerns no other blob of the run.
    return failedUpload(source, error);
  }
  switch (last.is) {
    case 'settled':
      return last.outcome;
    case 'pending':
      // An unchanged copy is not written again.
      return before?.copyId === last.copy.copyId && before.tries === last.copy.tries ? before : last.copy;
    case 'held':
      return outcomeOf(source, 'skipped', { code: 'being-archived' });
    case 'changing':
      return outcomeOf(source, 'skipped', { code: 'changed-recently' });
    case 'passed':
      return outcomeOf(source, 'failed', { code: 'source-changing', source });
    case 'gone':
      return outcomeOf(source, 'skipped', { code: 'source-vanished' });
  }
}

/** What is known of the present version after an attempt to archive it. */
type Present =
  | Exclude<Archiving, { is: 'held' }>
  | (Extract<Archiving, { is: 'held' }> & { etag: string })
  | { is: 'gone' }
  | { is: 'changing'; etag: string; seconds: number };

/**
 * Archives the present version, and the next one if another replaces it meanwhile. `seen` is the receipt of the
 * announced version; `contextFor` gives access for as long as the copy of a larger blob may take.
 */
async function archivePresent(
  context: ArchiveContext,
  name: string,
  seen?: { etag: string; receipt: FoundReceipt | undefined },
  contextFor?: (size: number) => Promise<ArchiveContext>,
): Promise<Present> {
  for (let version = 0; version < MOST_VERSIONS; version++) {
    const source = await present(context.copying.source, context.copying.container, name);
    const isSeen = version === 0 && seen !== undefined && seen.etag === source?.etag;
    // The receipt must be ended before another version replaces the copy at the destination.
    if (version === 0 && seen?.receipt && !isSeen) await endPassed(context, seen.receipt);
    if (source === undefined) return { is: 'gone' };
    const { etag } = source;
    const forMs = untilQuiet(source, context.quietMinutes, context.copying.now());
    if (forMs > 0) return { is: 'changing', etag, seconds: untilNextLook(source, forMs) };
    const large = source.size > SYNC_LIMIT ? await contextFor?.(source.size) : undefined;
    const last = await archiveVersion(large ?? context, source, isSeen ? { receipt: seen.receipt } : undefined);
    if (last.is === 'held') return { ...last, etag };
    if (last.is !== 'passed') return last;
  }
  return { is: 'passed' };
}

/** Accounts without index tags, or whose tags the app may not read. Found out once. */
const untagged = new WeakSet<BlobAccount>();

async function present(account: BlobAccount, container: string, name: string): Promise<BlobState | undefined> {
  const nameOnly: BlobState = { name, etag: '', lastModified: '', size: 0, type: 'block' };
  if (untagged.has(account)) return findSourceVersion(account, container, nameOnly);
  try {
    return await findSourceVersion(account, container, { ...nameOnly, tags: {} });
  } catch (error) {
    if (!isStorageError(error, 'source-access-denied', 'invalid', 'unsupported')) throw error;
    const found = await findSourceVersion(account, container, nameOnly);
    untagged.add(account);
    return found;
  }
}

function resultOf(deps: Dependencies, last: Present): UploadResult {
  switch (last.is) {
    case 'gone':
    case 'pending':
      return { is: last.is };
    case 'held':
      return { is: 'held', etag: last.etag, seconds: Math.ceil(last.forMs / 1000) + 1 };
    case 'changing':
      return last;
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
