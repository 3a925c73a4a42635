import type { BlobState } from '#domain/blobs/blob.ts';
import { methodsFor } from '#domain/copying/copy-method.ts';
import { sourceOf } from '#domain/copying/copy-source.ts';
import { canBeSent, tagFingerprint, withoutRecord } from '#domain/copying/record.ts';
import { hasOtherHash, isArchived, locate } from '#domain/restore/locate.ts';
import { decideRestore, isBrokenOff, isLeftover, isMadeBy } from '#domain/restore/restore.ts';
import { asBackedUp, type CopyMethod, type Outcome, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { CopyRequest } from '#storage/blob-account.ts';
import { isStorageError, StorageError, type StorageErrorKind } from '#storage/storage-error.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import type { CopyContext } from '../copying/copy-context.ts';
import { targetName } from '../copying/route.ts';
import { transfer } from '../copying/transfer.ts';
import { listNamed, missingOrOther, ofVault } from './held-content.ts';
import { codeOf } from './restore-problem-code.ts';

/** How often what was seen may turn out to be out of date before the blob is given up for this run. */
const LOOKS = 4;
/** Characters: of a copy's source address, signature included, and of a blob's name. The service takes no more. */
const LONGEST_SOURCE_URL = 2048;
const LONGEST_NAME = 1024;

/**
 * Brings one blob of a restore point to its target, as it was backed up: content, headers, metadata without our record, tags
 * and tier. Every request is pinned to what was seen of both sides; where that no longer holds, both are looked at again.
 * Failures are outcomes; only a stop by the signal is thrown.
 */
export async function restoreBlob(
  place: CopyContext,
  planned: PlannedItem,
  tries: { started: number; methods?: CopyMethod[]; rehydratingSince?: string } = { started: 0 },
): Promise<Outcome | PendingCopy> {
  const entry = planned.entry!;
  const task = place.run.restore!;
  const name = targetName(place, planned);
  // A retry knows the blob by what the restore point says, and nothing of where it is.
  let content: BlobState | undefined = planned.from.etag === '' ? undefined : planned.from;
  // What was there before this run copied anything: nobody's but ours can be what comes after it from just this content.
  const before = planned.to;
  let target = before;
  let mustLook = content === undefined;
  let lastError: StorageError | undefined;
  let kept: string | undefined;

  for (let look = 0; look < LOOKS; look++) {
    try {
      if (mustLook) {
        const [found, now] = await Promise.all([
          ofVault(listNamed)(place.source, place.container, place.sourcePrefix + entry.name),
          place.target.getProperties(place.destination, name),
        ]);
        content = locate(entry, found);
        target = now;
        if (content === undefined) return failed(entry, missingOrOther(entry, found));
        mustLook = false;
      }
      const holder = content!;
      if (hasOtherHash(entry, holder)) return failed(entry, 'content-mismatch');
      const from = sourceOf(place.source.endpoint, place.container, holder);
      const ours =
        target !== undefined &&
        isMadeBy(place.run, target, holder, from, before) &&
        (await hasTagsOf(place, entry, target));
      if (target?.copy?.status === 'pending') {
        // Started by this run and answered too late, or by another execution of this very piece of work.
        if (ours) return pending(place, planned, holder, target.copy.id, tries.started);
        if (task.existing === 'overwrite' || task.existing === 'if-different') {
          await abortQuietly(place.target, place.destination, name, target.copy.id);
          mustLook = true;
          continue;
        }
      }
      const broken = target !== undefined && isBrokenOff(target, from);
      const decision = broken ? { action: 'copy' as const } : decideRestore(entry, holder, target, task, ours);
      switch (decision.action) {
        case 'fail':
          return { ...failed(entry, decision.code), ...traceOf(target) };
        case 'skip':
          return { ...asBackedUp(entry), status: 'skipped', code: decision.code };
        case 'unchanged':
          return { ...asBackedUp(entry), status: 'unchanged' };
        case 'done':
          return await finish(place, planned, holder, target!, lackOf(entry, holder, target!));
        case 'copy':
          break;
      }
      if (isArchived(holder)) return await rehydrate(place, planned, holder, tries.rehydratingSince);
      const own = withoutRecord(holder.metadata);
      const hadTarget = target;
      // Nothing can be taken off what is archived: it goes there last.
      const tier = isArchivedLast(entry, holder) ? undefined : entry.tier;
      const request: CopyRequest = {
        sourceUrl: place.access.urlOf(holder.name, holder.snapshotOrVersion),
        sourceIfMatch: holder.etag,
        container: place.destination,
        name,
        destination: target ? { ifMatch: target.etag } : 'absent',
        // Without any of its own the service copies what is there, our record with it: that is taken off afterwards. What cannot
        // be sent has no record beside it, and is left to the service as well.
        ...(Object.keys(own).length > 0 && canBeSent(own) && { metadata: own }),
        ...(entry.tags !== undefined && Object.keys(entry.tags).length > 0 && { tags: entry.tags }),
        ...(tier !== undefined && holder.type === 'block' && { tier }),
      };
      const made = await transfer(
        place,
        { ...holder, metadata: own },
        {
          request,
          methods: tries.methods ?? methodsFor(holder, place.method),
          ...(entry.code !== undefined && { lacks: entry.code }),
          before: async () => {
            if (!hadTarget || kept === hadTarget.etag || isLeftover(hadTarget)) return;
            await place.target.snapshot(place.destination, name, hadTarget.etag);
            kept = hadTarget.etag;
          },
        },
      );
      const about = {
        reason: target ? ('replaced' as const) : ('new' as const),
        ...(made.lacks && { code: made.lacks }),
      };
      if (made.copyId !== undefined) {
        const copy = pending(place, planned, holder, made.copyId, tries.started + 1);
        return { ...copy, ...(made.lacks && { lacks: made.lacks }) };
      }
      // The commit of blocks carries exactly what it was given; of a blob of no bytes there are none to commit.
      const byService = made.method !== 'blocks' || holder.size === 0;
      if (byService && hasOnlyRecord(holder)) await takeRecordOff(place, name, made.etag);
      if (isArchivedLast(entry, holder)) await place.target.setTier(place.destination, name, 'Archive');
      return { ...asBackedUp(entry), status: 'copied', method: made.method, ...about };
    } catch (error) {
      if (!isStorageError(error) || error.kind === 'aborted') throw error;
      lastError = error;
      if (error.kind === 'invalid' && isTooLong(place, name, content)) return failed(entry, 'unsupported-name');
      if (error.kind === 'container-not-found' && (await targetMade(place))) continue;
      if (!OUT_OF_DATE.has(error.kind)) return failed(entry, codeOf(error), error.message);
      mustLook = true;
    }
  }
  return failed(entry, lastError ? codeOf(lastError) : 'target-changing', lastError?.message);
}

/** So many asynchronous copies of one blob are started in a run before another way is taken. */
export const MAX_TRIES = 2;

const OUT_OF_DATE = new Set<StorageErrorKind>([
  'precondition',
  'not-found',
  'pending-copy',
  'no-pending-copy',
  'source-not-found',
  'archived',
  'container-not-found',
]);

/** The copy is there: takes our record off it, where the service copied that too. */
export async function finish(
  place: CopyContext,
  planned: PlannedItem,
  holder: BlobState,
  target: BlobState,
  about: Partial<Outcome>,
): Promise<Outcome> {
  const entry = planned.entry!;
  try {
    if (hasOnlyRecord(target)) await takeRecordOff(place, target.name, target.etag);
    if (isArchivedLast(entry, holder) && !isArchived(target)) {
      await place.target.setTier(place.destination, target.name, 'Archive');
    }
  } catch (error) {
    // Nothing that waiting would mend.
    if (isStorageError(error, 'access-denied', 'immutable')) return failed(entry, codeOf(error), error.message);
    throw error;
  }
  const method = methodsFor(holder, place.method)[0]!;
  const lacks = entry.code;
  return { ...asBackedUp(entry), status: 'copied', method, ...(lacks && { code: lacks }), ...about };
}

/**
 * Whether a copy has the entry's tags, or none, as where they may not be written. The same version may have had others in another
 * restore point, which was restored before: a look tells only how many there are, so what has as many is listed.
 */
async function hasTagsOf(place: CopyContext, { tags = {} }: Outcome, target: BlobState): Promise<boolean> {
  const count = target.tagCount ?? 0;
  if (count === 0 || count !== Object.keys(tags).length) return count === 0;
  let marker: string | undefined;
  try {
    do {
      const asked = { prefix: target.name, tags: true, ...(marker !== undefined && { marker }) };
      const page = await place.target.listBlobs(place.destination, asked);
      const there = page.blobs.find(({ name }) => name === target.name);
      if (there) return tagFingerprint(there.tags) === tagFingerprint(tags);
      marker = page.next;
    } while (marker !== undefined);
  } catch (error) {
    // Where they may not be read, that there are as many has to do.
    if (!isStorageError(error, 'access-denied', 'invalid', 'unsupported')) throw error;
  }
  return true;
}

/** What a copy that was made already has not got, as where the target does not take it. */
function lackOf(entry: Outcome, holder: BlobState, target: BlobState): Pick<Outcome, 'code'> {
  const { tags = {}, tier } = entry;
  if (Object.keys(tags).length > 0 && (target.tagCount ?? 0) === 0) return { code: 'tags-not-written' };
  const isOther = tier !== undefined && target.tier !== tier && target.type === 'block';
  // What is archived last gets there yet.
  return isOther && !isArchivedLast(entry, holder) ? { code: 'tier-not-kept' } : {};
}

/** Whether a blob that was archived is copied to an online tier first: the record that comes along has to be taken off it. */
function isArchivedLast(entry: Outcome, holder: BlobState): boolean {
  return entry.tier === 'Archive' && holder.type === 'block' && hasOnlyRecord(holder);
}

const PRIORITIES = { standard: 'Standard', high: 'High' } as const;

/** Asks archived content back, and waits for it outside of this activity. */
async function rehydrate(
  place: CopyContext,
  planned: PlannedItem,
  holder: BlobState,
  since: string | undefined,
): Promise<Outcome | PendingCopy> {
  const entry = planned.entry!;
  const { rehydrate: speed } = place.run.restore!;
  if (speed === undefined) return failed(entry, 'content-archived');
  if (holder.archiveStatus === undefined) {
    const options = {
      ...(holder.snapshotOrVersion && { snapshotOrVersion: holder.snapshotOrVersion }),
      priority: PRIORITIES[speed],
    };
    await ofVault(() => place.source.setTier(place.container, holder.name, 'Hot', options))();
  }
  const startedAt = since ?? place.now().toISOString();
  return { planned: { ...planned, from: holder }, copyId: '', startedAt, tries: 0, rehydrating: true };
}

export function failed(entry: Outcome, code: ProblemCode, message?: string): Outcome {
  return { ...asBackedUp(entry), status: 'failed', code, ...(message !== undefined && { message }) };
}

function pending(
  place: CopyContext,
  planned: PlannedItem,
  holder: BlobState,
  copyId: string,
  tries: number,
): PendingCopy {
  return { planned: { ...planned, from: holder }, copyId, startedAt: place.now().toISOString(), tries };
}

/** What a retry needs of a target that is not ours, not to take it for ours: only copies could be. */
export function traceOf(target: BlobState | undefined): Pick<Outcome, 'source'> {
  if (target?.copy === undefined) return {};
  const { name, etag, lastModified, size, type, copy } = target;
  return { source: { name, etag, lastModified, size, type, copy } };
}

function hasOnlyRecord({ metadata = {} }: BlobState): boolean {
  return Object.keys(metadata).length > 0 && Object.keys(withoutRecord(metadata)).length === 0;
}

/** Until this is done the blob is not as it was, and so not restored. */
async function takeRecordOff(place: CopyContext, name: string, ifMatch: string): Promise<void> {
  try {
    await place.target.setMetadata(place.destination, name, {}, ifMatch);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const message = `It was copied, but our own metadata could not be taken off it: ${error.message}`;
    throw new StorageError(error.kind, message, error.status, error.code);
  }
}

function isTooLong(place: CopyContext, name: string, content: BlobState | undefined): boolean {
  if (name.length > LONGEST_NAME) return true;
  return (
    content !== undefined && place.access.urlOf(content.name, content.snapshotOrVersion).length > LONGEST_SOURCE_URL
  );
}

async function targetMade(place: CopyContext): Promise<boolean> {
  try {
    return (await place.target.createContainer(place.destination)) === 'created';
  } catch (error) {
    if (isStorageError(error)) return false;
    throw error;
  }
}
