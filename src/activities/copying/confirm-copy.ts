import { problemCodeOf } from '#app/problem-code.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { copyDeadline, methodsFor } from '#domain/copying/copy-method.ts';
import { readRecord } from '#domain/copying/record.ts';
import { type CopyMethod, type Outcome, outcomeOf, type PendingCopy } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { abortQuietly } from './abort-quietly.ts';
import { copyBlob } from './copy-blob.ts';
import type { CopyContext } from './copy-context.ts';
import { targetName } from './route.ts';
import { canCopyInBlocks } from './transfer.ts';

/** So many asynchronous copies of one blob are started in a run before another way is taken. */
export const MAX_TRIES = 2;

export async function confirmCopy(place: CopyContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  const { from: source } = copy.planned;
  const name = targetName(place, copy.planned);
  const spent = copy.tries >= MAX_TRIES;
  const others = otherMethods(place, source);
  try {
    const mirror = await place.target.getProperties(place.destination, name);
    const found = mirror?.copy;
    if (mirror && found?.id === copy.copyId) {
      if (
        found.status === 'success' &&
        mirror.size === source.size &&
        readRecordMatches(mirror.metadata, source.etag)
      ) {
        return outcomeOf(source, 'copied', { vaultEtag: mirror.etag, method: 'async', ...reasonOf(copy) });
      }
      if (found.status === 'pending') {
        const age = place.now().getTime() - Date.parse(copy.startedAt);
        if (age < copyDeadline(source.size, place.copyDeadlineMs)) return copy;
        await abortQuietly(place.target, place.destination, name, copy.copyId);
        const stuck = outcomeOf(source, 'failed', { code: 'copy-stuck', source });
        if (spent && others.length === 0) return stuck;
        const next = await anotherWay(place, copy, name, others);
        // One that does not even end when it is aborted is left to the next run.
        return next === copy && age >= 2 * copyDeadline(source.size, place.copyDeadlineMs) ? stuck : next;
      }
      if (spent && others.length === 0) {
        const message = found.description ?? `The copy ended as ${found.status}`;
        return outcomeOf(source, 'failed', { code: 'copy-failed', message, source });
      }
    } else if (copy.tries > MAX_TRIES) {
      return outcomeOf(source, 'failed', { code: 'destination-changing', source });
    }
    // It failed; or someone else wrote the blob, or its copy state is gone, and what is there proves nothing.
    return await (spent && others.length > 0 ? anotherWay(place, copy, name, others) : again(place, copy, name));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // Stopped by the wish to cancel, which is seen to next.
    if (error.kind === 'aborted') return copy;
    // Not being able to look is no verdict on the copy: look again next round, until the deadline.
    const age = place.now().getTime() - Date.parse(copy.startedAt);
    if (age < copyDeadline(source.size, place.copyDeadlineMs)) return copy;
    return outcomeOf(source, 'failed', { code: problemCodeOf(error, 'destination'), message: error.message, source });
  }
}

/** Decides and copies the blob anew from what is there now. */
export async function again(place: CopyContext, copy: PendingCopy, name: string) {
  const mirror = await place.target.getProperties(place.destination, name);
  return copyBlob(place, { from: copy.planned.from, reason: copy.planned.reason, ...(mirror && { to: mirror }) }, copy);
}

/** The ways to copy this blob without leaving the work to the service's queue: for some there is none. */
export function otherMethods(place: CopyContext, source: BlobState): CopyMethod[] {
  const others = methodsFor(source, place.method).filter((method) => method !== 'async');
  return (others.length > 0 ? others : (['blocks'] as const)).filter(
    (method) => method !== 'blocks' || canCopyInBlocks(source),
  );
}

/** Copies by a method that is atomic, where there is one. */
export async function anotherWay(place: CopyContext, copy: PendingCopy, name: string, methods: CopyMethod[]) {
  const mirror = await place.target.getProperties(place.destination, name);
  // Not aborted after all, or not yet: its deadline must not begin anew.
  if (mirror?.copy?.status === 'pending' && mirror.copy.id === copy.copyId) return copy;
  return copyBlob(
    place,
    { from: copy.planned.from, reason: copy.planned.reason, ...(mirror && { to: mirror }) },
    { tries: copy.tries, ...(methods.length > 0 && { methods }) },
  );
}

export function readRecordMatches(metadata: Record<string, string> | undefined, etag: string): boolean {
  const record = readRecord(metadata);
  // A copy whose metadata could not carry the record is known by its id alone.
  return record === undefined || record.etag === etag;
}

export function reasonOf({ planned, lacks }: PendingCopy): Partial<Outcome> {
  const { reason } = planned;
  return { ...(reason !== 'pending' && reason !== 'restore' && { reason }), ...(lacks && { code: lacks }) };
}
