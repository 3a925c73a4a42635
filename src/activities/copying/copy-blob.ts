import { problemCodeOf } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { isAtomic, methodsFor } from '#domain/copying/copy-method.ts';
import { type Decision, decide, isWhole } from '#domain/copying/decision.ts';
import {
  readRecord,
  recordOf,
  settableTier,
  tagsAreWithheld,
  unsettledIn,
  withRecord,
} from '#domain/copying/record.ts';
import { type CopyMethod, type Outcome, outcomeOf, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';
import type { CopyRequest } from '#storage/blob-account.ts';
import { isStorageError, type StorageError } from '#storage/storage-error.ts';
import { abortQuietly } from './abort-quietly.ts';
import type { CopyContext } from './copy-context.ts';
import { targetName } from './route.ts';
import { lookAtSource } from './source-version.ts';
import { transfer } from './transfer.ts';
import { type Marks, marked, updateProperties } from './update-properties.ts';

/** How often what was seen may turn out to be out of date before the blob is given up for this run. */
const LOOKS = 4;
/** Characters of a copy's source address, signature included: the documented limit of x-ms-copy-source is 2 KiB. */
const LONGEST_SOURCE_URL = 2048;

/**
 * Brings one blob's mirror up to date. Every request is pinned to what was seen of both sides; where that no longer
 * holds, both are looked at again and decided anew. Failures are outcomes; only a stop by the signal is thrown.
 */
export async function copyBlob(
  place: CopyContext,
  planned: PlannedItem,
  options: { tries?: number; methods?: CopyMethod[] } = {},
): Promise<Outcome | PendingCopy> {
  const { target, destination } = place;
  const mirrorName = targetName(place, planned);
  let { from: source } = planned;
  let mirror = planned.to;
  let lastError: StorageError | undefined;
  let kept: string | undefined;
  // What has been sent to be set in place: it may have reached another version than the one that was meant.
  const sent: Marks = {};

  for (let look = 0; look < LOOKS; look++) {
    try {
      // The walk can have missed an archived blob's mirror, and nothing else would notice: no copy is tried.
      if (look === 0 && mirror === undefined && source.tier === 'Archive') {
        mirror = await target.getProperties(destination, mirrorName);
      }
      const decision = decideHere(place, source, mirror);
      switch (decision.action) {
        case 'unchanged':
          return outcomeOf(source, 'unchanged', { vaultEtag: mirror!.etag });
        case 'skip':
          return outcomeOf(source, 'skipped', { code: decision.code });
        case 'done':
          return copied(source, mirror!.etag, { method: methodsFor(source, place.method)[0]! });
        case 'adopt':
          return pending(
            place,
            { from: source, reason: planned.reason, to: mirror! },
            decision.copyId,
            options.tries ?? 0,
          );
        case 'abort':
          // What is pending may be the version after this one, by somebody who is at that.
          if (place.archive && (await lookAtSource(place.source, place.container, source))?.etag !== source.etag) {
            return { ...failed(source, lastError), code: 'source-changing' };
          }
          await abortQuietly(target, destination, mirrorName, decision.copyId);
          mirror = await target.getProperties(destination, mirrorName);
          continue;
        case 'update':
          // What is archived is a version: tier and tags that are set later are none.
          if (place.archive) return outcomeOf(source, 'unchanged', { vaultEtag: mirror!.etag });
          return await updateProperties(place, source, mirror!, decision.reason, sent);
        case 'copy': {
          const outcome = await copyByBestMethod(place, source, mirror, {
            methods: options.methods ?? methodsFor(source, place.method),
            tries: options.tries ?? 0,
            kept,
            keep: (etag) => {
              kept = etag;
            },
            reason: decision.reason,
            ...(tagsAreWithheld(source) && !tagsAreWithheld(planned.from) && { lacks: 'tags-not-read' }),
          });
          return outcome;
        }
      }
    } catch (error) {
      if (!isStorageError(error) || error.kind === 'aborted') throw error;
      // No retry makes a name shorter: anyone who may upload could keep every run from succeeding.
      if (error.kind === 'invalid' && place.access.urlOf(source.name).length > LONGEST_SOURCE_URL) {
        return outcomeOf(source, 'skipped', { code: 'unsupported-name' });
      }
      lastError = error;
      if (isStorageError(error, 'container-not-found') && (await vaultContainerMade(place))) continue;
      if (
        !isStorageError(
          error,
          'precondition',
          'not-found',
          'pending-copy',
          'source-not-found',
          'archived',
          'container-not-found',
        )
      ) {
        return failed(source, error);
      }
      const again = await lookAgain(place, source, mirrorName);
      if ('error' in again) return failed(source, again.error);
      mirror = again.mirror && marked(again.mirror, sent);
      if (again.source === undefined) return outcomeOf(source, 'skipped', { code: 'source-vanished' });
      if (place.archive && again.source.etag !== source.etag) {
        return { ...failed(source, error), code: 'source-changing' };
      }
      // It may have been the source, moved out of the archive since; or what is there is the very copy that was to be made.
      const ours = again.mirror?.tier === 'Archive' && again.source.tier !== 'Archive';
      if (isStorageError(error, 'archived') && ours && !holds(again.mirror, again.source)) {
        return failed(again.source, error);
      }
      source = again.source;
    }
  }
  const changed = source.etag !== planned.from.etag;
  return {
    ...failed(source, lastError),
    ...((changed || lastError === undefined) && { code: changed ? 'source-changing' : 'destination-changing' }),
  };
}

/** For an archive, what is there under the same name and carries no record is nothing, unless its bytes are known to be the same. */
function decideHere({ run, archive }: CopyContext, source: BlobState, mirror: BlobState | undefined): Decision {
  const decision = decide(source, mirror, run.mode === 'full' ? 'full' : 'incremental', run.id);
  if (!archive || decision.action !== 'unchanged' || readRecord(mirror?.metadata)) return decision;
  const isSame = source.contentMd5 !== undefined && source.contentMd5 === mirror?.contentMd5;
  return isSame ? decision : { action: 'copy', reason: 'untracked' };
}

interface Attempt {
  methods: CopyMethod[];
  tries: number;
  /** ETag of the previous content if it has been kept already. */
  kept: string | undefined;
  keep(etag: string): void;
  reason: PlannedItem['reason'];
  /** What is known to be missing from the source as it was last seen. */
  lacks?: ProblemCode;
}

async function copyByBestMethod(
  place: CopyContext,
  source: BlobState,
  mirror: BlobState | undefined,
  attempt: Attempt,
): Promise<Outcome | PendingCopy> {
  // Tier and tags that somebody is setting on the blob that is there may yet arrive on the one that replaces it.
  const record = { ...recordOf(source, place.run.id), ...unsettledIn(readRecord(mirror?.metadata)) };
  const metadata = withRecord(source.metadata, record);
  const tier = place.archive ? archivedTier(place.archive, source) : settableTier(source);
  const request: CopyRequest = {
    sourceUrl: place.access.urlOf(source.name),
    sourceIfMatch: source.etag,
    container: place.destination,
    name: targetName(place, { from: source }),
    destination: mirror ? { ifMatch: mirror.etag } : 'absent',
    ...(metadata !== undefined && { metadata }),
    ...(source.tags !== undefined && Object.keys(source.tags).length > 0 && { tags: source.tags }),
    ...(tier !== undefined && { tier }),
  };
  const { tags: _, ...untagged } = record;
  const made = await transfer(place, source, {
    request,
    methods: attempt.methods,
    // Rights may come back: what the record does not say the vault has, the next run sets in place.
    metadataWithoutTags: metadata && withRecord(source.metadata, untagged),
    // The scan tells of tags it could not read; a look at the blob itself shows none either.
    ...(attempt.lacks && { lacks: attempt.lacks }),
    before: async (method) => {
      if (!mirror || attempt.kept === mirror.etag || !mustKeep(mirror, source, method)) return;
      // The restore points made so far find their content in this snapshot, by the record it carries along.
      await place.target.snapshot(request.container, request.name, mirror.etag);
      attempt.keep(mirror.etag);
    },
  });
  if (made.copyId !== undefined) {
    const planned: PlannedItem = { from: source, reason: attempt.reason, ...(mirror && { to: mirror }) };
    return { ...pending(place, planned, made.copyId, attempt.tries + 1), ...(made.lacks && { lacks: made.lacks }) };
  }
  const reason = attempt.reason === 'pending' || attempt.reason === 'restore' ? {} : { reason: attempt.reason };
  return copied(source, made.etag, { method: made.method, ...reason, ...(made.lacks && { code: made.lacks }) });
}

/**
 * Whether the blob in the vault must be kept as a snapshot before it is overwritten: not what a failed copy left, and
 * not the very version that an atomic copy is about to put there again.
 */
function mustKeep(mirror: BlobState, source: BlobState, method: CopyMethod): boolean {
  if (!isWhole(mirror)) return false;
  if (readRecord(mirror.metadata)?.etag !== source.etag) return true;
  // A copy of this version that was broken off may leave its record on an empty blob without any state of a copy.
  return mirror.size === source.size && !isAtomic(method);
}

function holds(mirror: BlobState | undefined, source: BlobState): boolean {
  return mirror !== undefined && isWhole(mirror) && readRecord(mirror.metadata)?.etag === source.etag;
}

/** That of the rule, else the source's own. Page and append blobs have none that could be set. */
function archivedTier({ tier }: { tier?: string }, source: BlobState): string | undefined {
  return tier !== undefined && source.type === 'block' ? tier : settableTier(source);
}

/** Both sides as they are now. The source is listed, not asked for singly: only listings keep the case of metadata keys. */
async function lookAgain(
  place: CopyContext,
  source: BlobState,
  mirrorName: string,
): Promise<{ source: BlobState | undefined; mirror: BlobState | undefined } | { error: StorageError }> {
  try {
    const [now, mirror] = await Promise.all([
      lookAtSource(place.source, place.container, source),
      place.target.getProperties(place.destination, mirrorName),
    ]);
    return { source: now, mirror };
  } catch (error) {
    if (isStorageError(error)) return { error };
    throw error;
  }
}

/** True when the vault's container was missing and could be made. */
async function vaultContainerMade(place: CopyContext): Promise<boolean> {
  try {
    return (await place.target.createContainer(place.destination)) === 'created';
  } catch (error) {
    if (isStorageError(error)) return false;
    throw error;
  }
}

function copied(source: BlobState, vaultEtag: string, more: Partial<Outcome>): Outcome {
  return outcomeOf(source, 'copied', { vaultEtag, ...more });
}

function pending(place: CopyContext, planned: PlannedItem, copyId: string, tries: number): PendingCopy {
  return { planned, copyId, startedAt: place.now().toISOString(), tries };
}

function failed(source: BlobState, error: StorageError | undefined): Outcome {
  const message = error === undefined ? {} : { message: error.message };
  return outcomeOf(source, 'failed', { code: problemCodeOf(error, 'destination'), ...message, source });
}
