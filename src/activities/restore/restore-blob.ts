import { listNamed } from '#app/list-named.ts';
import { ofVault } from '#app/of-vault.ts';
import { restoreProblemCode } from '#app/restore-problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { methodsFor } from '#domain/copying/copy-method.ts';
import { vaultNameOf } from '#domain/copying/vault-name.ts';
import { decideEntry, isCopiedBy, traceOf } from '#domain/restore/decide-entry.ts';
import { holderKey, isArchived, locate, missingOrOther } from '#domain/restore/locate.ts';
import { blockSources, hasSameTags, isLeftover } from '#domain/restore/restore.ts';
import { lacksOf, type RestoredMetadata, restoredMetadata } from '#domain/restore/restored-metadata.ts';
import { failedEntry } from '#domain/run/failed-entry.ts';
import { asBackedUp, type CopyMethod, type Outcome, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import { isStorageError, type StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import { sourceUrl } from '../copying/copy-context.ts';
import { LONGEST_SOURCE_URL, MAX_CHECKS } from '../copying/copy-limits.ts';
import { createAgain } from '../copying/create-again.ts';
import { targetName } from '../copying/route.ts';
import { type Transferred, transfer, type UnsignedRequest } from '../copying/transfer.ts';
import { finishRestore, isArchivedLast, removeRecord } from './finish-restore.ts';
import type { RestoreContext } from './restore-route.ts';

/** Characters of the name of a blob that the service takes. */
const LONGEST_NAME = 1024;

export interface RestoreOptions {
  /** How many asynchronous copies of the blob the run has started. */
  started: number;
  methods?: CopyMethod[];
  /** When the run asked the service to rehydrate the content. */
  rehydratingSince?: string;
}

/** What a restore knows of its blob, from one check to the next. */
interface Attempt {
  planned: PlannedItem;
  entry: Outcome;
  options: RestoreOptions;
  /** Name of the blob in the target. */
  name: string;
  /** Everything in the vault under the name, once both sides have been checked. */
  named: BlobState[];
  /** The blob in the vault that has the content. */
  holder: BlobState | undefined;
  target: BlobState | undefined;
  mustCheck: boolean;
  /** Holders that the service could not copy from, by key: the next one is tried. */
  unreadable: Set<string>;
  lastError?: StorageError;
  /** ETag of the target blob of which there is a snapshot. */
  snapshotOf?: string;
}

/**
 * Restores one blob of a restore point to its target, as it was backed up: content, headers, metadata without our
 * record, tags and tier. Every request is pinned to the state in which both sides were seen. If that is out of date,
 * both sides are checked again. Failures are outcomes; only a stop by the signal is thrown.
 */
export async function restoreBlob(
  context: RestoreContext,
  planned: PlannedItem,
  options: RestoreOptions = { started: 0 },
): Promise<Outcome | PendingCopy> {
  const entry = planned.entry!;
  // A retry knows the blob only as the restore point names it, and not where its content is.
  const holder = planned.from.etag === '' ? undefined : planned.from;
  const name = targetName(context, planned);
  const attempt: Attempt = {
    ...{ planned, entry, options, name, named: [], holder, target: planned.to },
    ...{ mustCheck: !holder, unreadable: new Set<string>() },
  };
  for (let check = 0; check < MAX_CHECKS; check++) {
    try {
      const result = (await checkBothSides(context, attempt)) ?? (await carryOut(context, attempt));
      if (result) return result;
    } catch (error) {
      if (!isStorageError(error) || error.kind === 'aborted') throw error;
      const failure = await afterRefusal(context, attempt, error);
      if (failure) return failure;
    }
  }
  const { lastError } = attempt;
  return failedEntry(entry, lastError ? restoreProblemCode(lastError) : 'target-changing', lastError?.message);
}

/** Finds the content and the target again, if that is due. An outcome if the vault no longer holds the content. */
async function checkBothSides(context: RestoreContext, attempt: Attempt): Promise<Outcome | undefined> {
  if (!attempt.mustCheck) return undefined;
  const { entry, name } = attempt;
  const [found, target] = await Promise.all([
    ofVault(listNamed)(context.source, context.container, context.sourcePrefix + vaultNameOf(entry)),
    context.target.getProperties(context.destination, name),
  ]);
  attempt.named = found;
  attempt.holder = locate(entry, found, attempt.unreadable) ?? locate(entry, found);
  attempt.target = target;
  if (attempt.holder === undefined) return failedEntry(entry, missingOrOther(entry, found));
  attempt.mustCheck = false;
  return undefined;
}

/** Carries out the decision. Undefined if both sides must then be checked again. */
async function carryOut(context: RestoreContext, attempt: Attempt): Promise<Outcome | PendingCopy | undefined> {
  const { entry, target, planned, options } = attempt;
  const holder = attempt.holder!;
  // Before this run copied anything, `planned.to` was there: only our own copy of this content can replace it.
  const isOurs =
    target !== undefined &&
    (isCopiedBy(context, entry, attempt.named, target, planned.to) || (await isCopiedInBlocks(context, attempt))) &&
    (await hasTagsOf(context, entry, target));
  if (target?.copy?.status === 'pending') {
    // This run started it and the answer came too late, or another execution of this piece did.
    if (isOurs) return pending(context, planned, holder, target.copy.id, options.started);
    const { existing } = context.policy;
    if (existing === 'overwrite' || existing === 'if-different') {
      await abortQuietly(context.target, context.destination, attempt.name, target.copy.id);
      attempt.mustCheck = true;
      return undefined;
    }
  }
  const decision = decideEntry(context, entry, holder, target, isOurs);
  switch (decision.action) {
    case 'fail':
      return { ...failedEntry(entry, decision.code), ...traceOf(target) };
    case 'skip':
      return { ...asBackedUp(entry), status: 'skipped', code: decision.code };
    case 'unchanged':
      return { ...asBackedUp(entry), status: 'unchanged' };
    case 'done':
      return finishRestore(context, entry, holder, target!, lackOf(entry, holder, target!));
    case 'copy':
      if (isArchived(holder)) return rehydrate(context, planned, holder, options.rehydratingSince);
      return copyHolder(context, attempt, holder);
  }
}

/** Whether the target consists of blocks that this restore, or the one it tries again, has copied. */
async function isCopiedInBlocks(
  context: RestoreContext,
  { entry, name, named, target, planned }: Attempt,
): Promise<boolean> {
  for (const content of blockSources(context.run, entry, target!, named, planned.to)) {
    const source = { sourceUrl: sourceUrl(context, content, 'blocks'), sourceIfMatch: content.etag };
    if (await context.target.isCopiedInBlocks(context.destination, name, { ...source, size: content.size }))
      return true;
  }
  return false;
}

async function copyHolder(
  context: RestoreContext,
  attempt: Attempt,
  holder: BlobState,
): Promise<Outcome | PendingCopy> {
  const { entry, name, target, planned, options } = attempt;
  const restored = restoredMetadata(entry, holder);
  const made = await transfer(
    context,
    { ...holder, metadata: restored.metadata },
    {
      request: requestFor(context, attempt, holder, restored),
      methods: options.methods ?? methodsFor(holder, context.method),
      ...(entry.code !== undefined && { lacks: entry.code }),
      before: async () => {
        if (!target || attempt.snapshotOf === target.etag || isLeftover(target)) return;
        await context.target.snapshot(context.destination, name, target.etag);
        attempt.snapshotOf = target.etag;
      },
    },
  );
  const { lacks } = made;
  if (made.copyId !== undefined) {
    const copy = pending(context, planned, holder, made.copyId, options.started + 1);
    return { ...copy, ...(lacks && { lacks }) };
  }
  await finishCopy(context, attempt, holder, made);
  return {
    ...{ ...asBackedUp(entry), status: 'copied', method: made.method, reason: target ? 'replaced' : 'new' },
    ...lacksOf(restored, lacks),
  };
}

function requestFor(
  context: RestoreContext,
  { entry, name, target }: Attempt,
  holder: BlobState,
  { metadata, how }: RestoredMetadata,
): UnsignedRequest {
  const tier = isArchivedLast(entry, holder) ? undefined : entry.tier;
  return {
    sourceIfMatch: holder.etag,
    container: context.destination,
    name,
    destination: target ? { ifMatch: target.etag } : 'absent',
    ...(how === 'sent' && { metadata }),
    ...(entry.tags !== undefined && Object.keys(entry.tags).length > 0 && { tags: entry.tags }),
    ...(tier !== undefined && holder.type !== 'append' && { tier }),
    // Otherwise the service decides whether the copy of a sealed blob is sealed.
    ...((entry.sealed || holder.sealed) && { sealed: entry.sealed === true }),
  };
}

async function finishCopy(
  context: RestoreContext,
  { entry, name }: Attempt,
  holder: BlobState,
  { method, etag }: Transferred,
): Promise<void> {
  // The commit of blocks carries exactly what it is given. An empty blob has no blocks to commit.
  const byService = method !== 'blocks' || holder.size === 0;
  if (byService && restoredMetadata(entry, holder).how === 'cleared') await removeRecord(context, name, etag);
  if (isArchivedLast(entry, holder)) await context.target.setTier(context.destination, name, 'Archive');
}

/** What a refused request means: an outcome, or undefined when both sides are to be checked and decided again. */
async function afterRefusal(
  context: RestoreContext,
  attempt: Attempt,
  error: StorageError,
): Promise<Outcome | undefined> {
  attempt.lastError = error;
  if (error.kind === 'invalid' && isTooLong(context, attempt)) return failedEntry(attempt.entry, 'unsupported-name');
  if (error.kind === 'container-not-found') {
    const made = await createAgain(() => context.makeTarget());
    if (made === 'created') return undefined;
    if (made !== 'exists') return failedEntry(attempt.entry, restoreProblemCode(made.refused), made.refused.message);
  }
  const isNoted = noteUnreadable(attempt, error);
  if (!isNoted && !OUT_OF_DATE.has(error.kind))
    return failedEntry(attempt.entry, restoreProblemCode(error), error.message);
  attempt.mustCheck = true;
  return undefined;
}

/** Notes that the service could not copy from the holder: the next check prefers another. False if it was noted. */
function noteUnreadable({ holder, mustCheck, unreadable }: Attempt, error: StorageError): boolean {
  if (holder === undefined || mustCheck || !UNREADABLE.has(error.kind) || unreadable.has(holderKey(holder)))
    return false;
  unreadable.add(holderKey(holder));
  return true;
}

const UNREADABLE = new Set<StorageErrorKind>(['source-not-found', 'source-access-denied', 'archived']);

const OUT_OF_DATE = new Set<StorageErrorKind>([
  'precondition',
  'not-found',
  'pending-copy',
  'no-pending-copy',
  'source-not-found',
  'archived',
  'container-not-found',
]);

/**
 * Whether a copy has the tags of the entry, or none, as where they may not be written. Another restore point, restored
 * before, may have had the same version with other tags. Properties show only how many there are, so a blob with as
 * many is listed.
 */
async function hasTagsOf(context: RestoreContext, { tags = {} }: Outcome, target: BlobState): Promise<boolean> {
  const count = target.tagCount ?? 0;
  if (count === 0 || count !== Object.keys(tags).length) return count === 0;
  let marker: string | undefined;
  try {
    do {
      const asked = { prefix: target.name, tags: true, ...(marker !== undefined && { marker }) };
      const page = await context.target.listBlobs(context.destination, asked);
      const listed = page.blobs.find(({ name }) => name === target.name);
      if (listed) return hasSameTags({ tags }, listed);
      marker = page.next;
    } while (marker !== undefined);
  } catch (error) {
    // If the app may not read them, their number has to do.
    if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
  }
  return true;
}

/** What a finished copy lacks, because the target did not take it. */
function lackOf(entry: Outcome, holder: BlobState, target: BlobState): Pick<Outcome, 'code'> {
  const { tags = {}, tier } = entry;
  if (Object.keys(tags).length > 0 && (target.tagCount ?? 0) === 0) return { code: 'tags-not-written' };
  if (entry.sealed && !target.sealed) return { code: 'seal-not-kept' };
  const isOther = tier !== undefined && target.tier !== tier && target.type !== 'append';
  // A blob that is archived last still gets its tier.
  return isOther && !isArchivedLast(entry, holder) ? { code: 'tier-not-kept' } : {};
}

const PRIORITIES = { standard: 'Standard', high: 'High' } as const;

/** Asks the service to rehydrate archived content. Later rounds of the confirmation wait for it. */
async function rehydrate(
  { source, container, policy, now }: RestoreContext,
  planned: PlannedItem,
  holder: BlobState,
  since: string | undefined,
): Promise<Outcome | PendingCopy> {
  if (policy.rehydrate === undefined) return failedEntry(planned.entry!, 'content-archived');
  if (holder.archiveStatus === undefined) {
    const priority = PRIORITIES[policy.rehydrate];
    const { snapshotOrVersion } = holder;
    await ofVault(() =>
      source.setTier(container, holder.name, 'Hot', {
        priority,
        ...(snapshotOrVersion && { snapshotOrVersion }),
      }),
    )();
  }
  const startedAt = since ?? now().toISOString();
  return { planned: { ...planned, from: holder }, copyId: '', startedAt, tries: 0, rehydrating: true };
}

function pending(
  context: RestoreContext,
  planned: PlannedItem,
  holder: BlobState,
  copyId: string,
  tries: number,
): PendingCopy {
  return { planned: { ...planned, from: holder }, copyId, startedAt: context.now().toISOString(), tries };
}

function isTooLong({ access }: RestoreContext, { name, holder }: Attempt): boolean {
  if (name.length > LONGEST_NAME) return true;
  return holder !== undefined && access.urlOf(holder.name, holder.snapshotOrVersion).length > LONGEST_SOURCE_URL;
}
