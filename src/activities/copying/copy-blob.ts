import { problemCodeOf } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { isAtomic, methodsFor } from '#domain/copying/copy-method.ts';
import { type Decision, decide, isWhole } from '#domain/copying/decision.ts';
import { heldAs } from '#domain/copying/held.ts';
import {
  readRecord,
  recordOf,
  settableTier,
  tagsAreWithheld,
  unsettledIn,
  withRecord,
} from '#domain/copying/record.ts';
import { fitsName, mustBeBeside, type PlaceInVault, placeOf } from '#domain/copying/vault-name.ts';
import { defined } from '#domain/run/defined.ts';
import { isHeld } from '#domain/run/manifest.ts';
import {
  type CopyMethod,
  copyReasonOf,
  isPending,
  type Outcome,
  outcomeOf,
  type PendingCopy,
  type PlannedItem,
} from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import { abortQuietly } from './abort-quietly.ts';
import type { BackupContext } from './copy-context.ts';
import { LONGEST_SOURCE_URL, MAX_CHECKS } from './copy-limits.ts';
import { createAgain } from './create-again.ts';
import { isKept } from './kept-already.ts';
import { targetName } from './route.ts';
import { findSourceVersion } from './source-version.ts';
import { transfer, type UnsignedRequest } from './transfer.ts';
import { type Marks, marked, updateProperties } from './update-properties.ts';

export interface CopyOptions {
  /** How many asynchronous copies of the blob the run has started. */
  tries?: number;
  methods?: CopyMethod[];
}

/** What a copy knows of its blob, from one check to the next. */
interface Attempt {
  planned: PlannedItem;
  options: CopyOptions;
  source: BlobState;
  /** The blob in the vault. */
  backup: BlobState | undefined;
  lastError?: StorageError;
  /** ETag of the backup blob of which there is a snapshot. */
  snapshotOf?: string;
  /** Tier and tags that were sent to be set in place: they may have reached another version than the intended one. */
  sent: Marks;
}

/**
 * Brings the backup blob of one blob up to date. Every request is pinned to the state in which both sides were seen. If
 * that is out of date, both sides are checked and decided again. Failures are outcomes; only a stop by the signal is
 * thrown.
 */
export async function copyBlob(
  context: BackupContext,
  planned: PlannedItem,
  options: CopyOptions = {},
): Promise<Outcome | PendingCopy> {
  const attempt: Attempt = { planned, options, source: planned.from, backup: planned.to, sent: {} };
  for (let check = 0; check < MAX_CHECKS; check++) {
    try {
      if (check === 0) await checkAtFirst(context, attempt);
      const result = await carryOut(context, attempt);
      if (result) return placed(attempt, result);
    } catch (error) {
      if (!isStorageError(error) || error.kind === 'aborted') throw error;
      const result = await afterRefusal(context, attempt, error);
      if (result) return result;
    }
  }
  return stillChanging(attempt);
}

/**
 * Checks the backup blob of an archived blob. The walk may have missed it, and since no copy is tried, no refusal would
 * reveal that. The same of a blob that may not be copied to its own name, if the plan names no other.
 */
async function checkAtFirst(context: BackupContext, attempt: Attempt): Promise<void> {
  const { source, backup, planned } = attempt;
  const isMisplaced = !context.archive && mustBeBeside(source) && planned.vaultName === undefined;
  if (!isMisplaced && (backup !== undefined || source.tier !== 'Archive')) return;
  moveTo(attempt, await findBackup(context, source));
}

/** The backup blob as it is now, under the name that is to hold the copy. */
async function findBackup(context: BackupContext, source: BlobState): Promise<PlaceInVault> {
  const { target, destination, targetPrefix, archive } = context;
  const own = await target.getProperties(destination, targetName(context, { from: source }));
  if (archive) return { backup: own };
  return placeOf(source, own, (name) => target.getProperties(destination, targetPrefix + name));
}

function moveTo(attempt: Attempt, { backup, vaultName }: PlaceInVault): void {
  const { vaultName: _, ...planned } = attempt.planned;
  attempt.planned = { ...planned, ...defined({ vaultName }) };
  attempt.backup = backup;
}

/** With the name that holds the copy. */
function placed({ planned: { vaultName } }: Attempt, result: Outcome | PendingCopy): Outcome | PendingCopy {
  if (vaultName === undefined) return result;
  if (isPending(result)) return { ...result, planned: { ...result.planned, vaultName } };
  return isHeld(result) ? { ...result, vaultName } : result;
}

/** Carries out the decision. Undefined if the backup blob is then in another state, and needs another decision. */
async function carryOut(context: BackupContext, attempt: Attempt): Promise<Outcome | PendingCopy | undefined> {
  const { source, backup, planned, options } = attempt;
  const decision = decideHere(context, source, backup);
  switch (decision.action) {
    case 'unchanged':
      return heldAs(source, 'unchanged', { vaultEtag: backup!.etag });
    case 'skip':
      return outcomeOf(source, 'skipped', { code: decision.code });
    case 'done':
      return heldAs(source, 'copied', { vaultEtag: backup!.etag, method: methodsFor(source, context.method)[0]! });
    case 'adopt':
      return pending(
        context,
        { from: source, reason: planned.reason, to: backup! },
        decision.copyId,
        options.tries ?? 0,
      );
    case 'abort':
      return abort(context, attempt, decision.copyId);
    case 'update':
      // An archive holds a version: tier and tags set later are not part of it.
      if (context.archive) return heldAs(source, 'unchanged', { vaultEtag: backup!.etag });
      return updateProperties(context, source, backup!, decision.reason, attempt.sent);
    case 'copy': {
      const obstacle = await obstacleTo(context, attempt);
      if (obstacle === undefined) return copyByBestMethod(context, attempt, decision.reason);
      return obstacle === 'gone' ? undefined : obstacle;
    }
  }
}

/** In an archive, a blob without a record is no evidence that a version is archived. */
function decideHere({ mode, owner, archive }: BackupContext, source: BlobState, backup?: BlobState): Decision {
  const decision = decide(source, backup, mode, owner);
  const isKnown = readRecord(backup?.metadata) !== undefined;
  return archive && decision.action === 'unchanged' && !isKnown ? { action: 'copy', reason: 'untracked' } : decision;
}

async function abort(context: BackupContext, attempt: Attempt, copyId: string): Promise<Outcome | undefined> {
  const { source, lastError } = attempt;
  const { target, destination } = context;
  const name = targetName(context, attempt.planned);
  // The pending copy may be of the version after this one, made by another writer.
  if (context.archive) {
    const now = await findSourceVersion(context.source, context.container, source);
    if (now?.etag !== source.etag) return { ...failed(source, lastError), code: 'source-changing' };
  }
  await abortQuietly(target, destination, name, copyId);
  attempt.backup = await target.getProperties(destination, name);
  return undefined;
}

/**
 * What a refused request means: an outcome, or undefined when both sides have been checked and are to be decided again.
 */
async function afterRefusal(
  context: BackupContext,
  attempt: Attempt,
  error: StorageError,
): Promise<Outcome | undefined> {
  const { source } = attempt;
  // No retry makes a name shorter: anyone who may upload could keep every run from succeeding.
  if (error.kind === 'invalid' && context.access.urlOf(source.name).length > LONGEST_SOURCE_URL) {
    return outcomeOf(source, 'skipped', { code: 'unsupported-name' });
  }
  attempt.lastError = error;
  if (error.kind === 'container-not-found') {
    const made = await createAgain(() => context.target.createContainer(context.destination));
    if (made === 'created') return undefined;
    if (made !== 'exists') return failed(source, made.refused);
  }
  // An archive keeps nothing beside.
  if (!isOutOfDate(error) && (context.archive || error.kind !== 'type-differs')) return failed(source, error);
  const now = await checkBothSides(context, source);
  if ('error' in now) return failed(source, now.error);
  moveTo(attempt, { ...now, backup: now.backup && marked(now.backup, attempt.sent) });
  if (now.source === undefined) return outcomeOf(source, 'skipped', { code: 'source-vanished' });
  if (context.archive && now.source.etag !== source.etag) {
    return { ...failed(source, error), code: 'source-changing' };
  }
  // The archived blob may have been the source, which has left the archive since, or the very copy to be made.
  const isBackupArchived = now.backup?.tier === 'Archive' && now.source.tier !== 'Archive';
  if (error.kind === 'archived' && isBackupArchived && !holds(now.backup, now.source)) {
    return failed(now.source, error);
  }
  attempt.source = now.source;
  return undefined;
}

/** Whether an error says that a side is no longer in the state in which it was seen. */
function isOutOfDate(error: StorageError): boolean {
  return isStorageError(
    error,
    'precondition',
    'not-found',
    'pending-copy',
    'source-not-found',
    'archived',
    'container-not-found',
  );
}

function stillChanging({ planned, source, lastError }: Attempt): Outcome {
  const outcome = failed(source, lastError);
  if (source.etag !== planned.from.etag) return { ...outcome, code: 'source-changing' };
  return lastError === undefined ? { ...outcome, code: 'destination-changing' } : outcome;
}

/**
 * Why the service would refuse every copy, as far as the state of the backup blob shows it: then a snapshot would be
 * taken in vain, in every run. `gone` if there was an obstacle, and is none any more: the copy is made beside a blob of
 * another type, or a lease has ended.
 */
async function obstacleTo(context: BackupContext, attempt: Attempt): Promise<Outcome | 'gone' | undefined> {
  const { source, backup, planned } = attempt;
  const name = targetName(context, planned);
  const where = () => `${context.target.alias}/${context.destination}/${name}`;
  if (backup && backup.type !== source.type) {
    if (!context.archive) {
      moveTo(attempt, await findBackup(context, source));
      return 'gone';
    }
    const message = `${where()} is a blob of type ${backup.type}, and the source has one of type ${source.type}`;
    return outcomeOf(source, 'failed', { code: 'destination-type-differs', message, source });
  }
  if (planned.vaultName !== undefined && !fitsName(name)) {
    const message = `A blob of another type has the name, and ${planned.vaultName} is too long for one`;
    return outcomeOf(source, 'failed', { code: 'destination-type-differs', message, source });
  }
  if (!backup?.leased) return undefined;
  const now = await context.target.getProperties(context.destination, name);
  if (!now?.leased) {
    attempt.backup = now;
    return 'gone';
  }
  return outcomeOf(source, 'failed', { code: 'destination-leased', message: `${where()} has a lease`, source });
}

async function copyByBestMethod(
  context: BackupContext,
  attempt: Attempt,
  reason: PlannedItem['reason'],
): Promise<Outcome | PendingCopy> {
  const { source, backup, planned, options } = attempt;
  const request = requestFor(context, attempt);
  const { tags: _, ...untagged } = recordFor(context, source, backup);
  const made = await transfer(context, source, {
    request,
    methods: options.methods ?? methodsFor(source, context.method),
    // The app may get the right back: the next run sets in place what the record does not say the vault has.
    metadataWithoutTags: withRecord(source.metadata, untagged),
    // The scan reports tags that it could not read. Checking the blob itself shows none either.
    ...lacksTags(source, planned.from),
    before: async (method) => {
      if (!backup || attempt.snapshotOf === backup.etag || !mustKeep(backup, source, method)) return;
      // Earlier restore points find their content in this snapshot, by the record that it carries.
      if (!(await isKept(context, request.name, backup))) {
        await context.target.snapshot(request.container, request.name, backup.etag);
      }
      attempt.snapshotOf = backup.etag;
    },
  });
  if (made.copyId !== undefined) {
    const seen: PlannedItem = { from: source, reason, ...(backup && { to: backup }) };
    const copy = pending(context, seen, made.copyId, (options.tries ?? 0) + 1);
    return { ...copy, ...(made.lacks && { lacks: made.lacks }) };
  }
  return heldAs(source, 'copied', {
    vaultEtag: made.etag,
    method: made.method,
    ...copyReasonOf(reason),
    ...(made.lacks && { code: made.lacks }),
  });
}

function requestFor(context: BackupContext, { source, backup, planned }: Attempt): UnsignedRequest {
  const metadata = withRecord(source.metadata, recordFor(context, source, backup));
  const tier = context.archive ? archivedTier(context.archive, source) : settableTier(source);
  return {
    sourceIfMatch: source.etag,
    container: context.destination,
    name: targetName(context, { ...planned, from: source }),
    destination: backup ? { ifMatch: backup.etag } : 'absent',
    ...(metadata !== undefined && { metadata }),
    ...(source.tags !== undefined && Object.keys(source.tags).length > 0 && { tags: source.tags }),
    ...(tier !== undefined && { tier }),
  };
}

/**
 * Tier and tags that another writer is setting on the present backup blob may still arrive on the one that replaces it.
 */
function recordFor({ owner }: BackupContext, source: BlobState, backup: BlobState | undefined) {
  return { ...recordOf(source, owner), ...unsettledIn(readRecord(backup?.metadata)) };
}

function lacksTags(source: BlobState, listed: BlobState): { lacks?: ProblemCode } {
  return tagsAreWithheld(source) && !tagsAreWithheld(listed) ? { lacks: 'tags-not-read' } : {};
}

/**
 * Whether a copy must take a snapshot of the backup blob before it overwrites it. It need not if the blob is what a
 * failed copy left, or if an atomic copy writes the same source version again.
 */
function mustKeep(backup: BlobState, source: BlobState, method: CopyMethod): boolean {
  if (!isWhole(backup)) return false;
  if (readRecord(backup.metadata)?.etag !== source.etag) return true;
  // A copy of this version that broke off may leave its record on an empty blob that has no copy state.
  return backup.size === source.size && !isAtomic(method);
}

function holds(backup: BlobState | undefined, source: BlobState): boolean {
  return backup !== undefined && isWhole(backup) && readRecord(backup.metadata)?.etag === source.etag;
}

/** The tier of the rule, or else of the source. Page and append blobs have none that could be set. */
function archivedTier({ tier }: { tier?: string }, source: BlobState): string | undefined {
  return tier !== undefined && source.type === 'block' ? tier : settableTier(source);
}

/** Both sides as they are now. The source is listed: only listings keep the case of metadata keys. */
async function checkBothSides(
  context: BackupContext,
  source: BlobState,
): Promise<({ source: BlobState | undefined } & PlaceInVault) | { error: StorageError }> {
  try {
    const [now, place] = await Promise.all([
      findSourceVersion(context.source, context.container, source),
      findBackup(context, source),
    ]);
    // Deleted and made again as another type since it was listed: its copy is elsewhere.
    const isRetyped = now !== undefined && now.type !== source.type;
    return { source: now, ...(isRetyped ? await findBackup(context, now) : place) };
  } catch (error) {
    if (isStorageError(error)) return { error };
    throw error;
  }
}

function pending(context: BackupContext, planned: PlannedItem, copyId: string, tries: number): PendingCopy {
  return { planned, copyId, startedAt: context.now().toISOString(), tries };
}

function failed(source: BlobState, error: StorageError | undefined): Outcome {
  const message = error === undefined ? {} : { message: error.message };
  return outcomeOf(source, 'failed', { code: problemCodeOf(error, 'destination'), ...message, source });
}
