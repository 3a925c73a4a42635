import type { BlobState } from '../domain/blob.ts';
import { laterKey, partPath, workKey } from '../domain/control-paths.ts';
import { copyDeadline, methodsFor } from '../domain/copy-method.ts';
import { type CopyMethod, isPending, type Outcome, outcomeOf, type PendingCopy } from '../domain/outcome.ts';
import { PartWriter } from '../domain/part.ts';
import { readRecord } from '../domain/record.ts';
import { isArchiving } from '../domain/run.ts';
import { countOutcome, emptyTally } from '../domain/tally.ts';
import { countingRequests } from '../storage/requests.ts';
import { isStorageError } from '../storage/storage-error.ts';
import { archivePlaceOf } from './archive-place.ts';
import { confirmPlanned } from './archive-upload.ts';
import { abortQuietly, copyBlob } from './copy-blob.ts';
import { type CopyChunkResult, type WorkFile, writeWork } from './copy-chunk.ts';
import { type CopyPlace, copyPlace, type Share, targetName } from './copy-place.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';
import { problemCodeOf } from './problem-code.ts';
import { confirmRestore } from './restore-blob.ts';
import { RunGuard, watchStanding } from './run-guard.ts';
import { canCopyInBlocks } from './transfer.ts';

export interface ConfirmCopiesInput extends Share {
  work: WorkFile;
}

/** So many asynchronous copies of one blob are started in a run before another way is taken. */
const MAX_TRIES = 2;

/**
 * Looks at the copies of a work file that were pending, brings each to an end where it can, and writes the next work
 * file, or the later part of the manifest once none is pending. Only a copy with the id that was started counts.
 */
export function makeConfirmCopies(deps: Dependencies) {
  return async function confirmCopies(input: ConfirmCopiesInput): Promise<CopyChunkResult> {
    const { run, container, destination, work } = input;
    const { control } = workplaceOf(deps, run.job);
    const tally = emptyTally(container, destination);
    Object.assign(tally.requests, work.requests);
    const guard = new RunGuard(control, run, deps.now);

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const { items } = await control.readPart<Outcome | PendingCopy, CopyChunkResult>(
        partPath(run, 'pending', container, workKey(work)),
      );
      const stop = new AbortController();
      const largest = items.reduce((most, item) => Math.max(most, isPending(item) ? item.planned.source.size : 0), 0);
      const place = await copyPlace(deps, input, largest, stop.signal);
      const watch = watchStanding(guard, () => stop.abort());
      const archive = isArchiving(run.mode) ? archivePlaceOf(deps, run.job, place) : undefined;
      const confirm = (copy: PendingCopy) =>
        archive
          ? confirmPlanned(archive, copy)
          : run.mode === 'restore'
            ? confirmRestore(place, copy)
            : confirmCopy(place, copy);
      const results = await Promise.all(
        items.map((item) => (isPending(item) ? deps.copySlots(() => confirm(item)) : item)),
      ).finally(() => watch.end());
      for (const result of results) {
        if (isPending(result)) continue;
        countOutcome(tally, result);
        tally.planned++;
      }
      const { key, attempt, round } = work;
      const pending = results.filter(isPending).length;
      // Copies of days are looked at thousands of times: what has not changed is not written again.
      if (results.every((result, index) => result === items[index])) {
        return { work: { key, attempt, round, pending, requests: tally.requests } };
      }
      if (pending > 0) return writeWork(control, run, { key, attempt, round: round + 1, pending }, results, tally);
      const writer = new PartWriter<Outcome | PendingCopy>();
      for (const result of results) writer.add(result);
      return control.writePart(run, 'copy', laterKey(work.key), writer, tally, {});
    });
  };
}

export async function confirmCopy(place: CopyPlace, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  const { source } = copy.planned;
  const name = targetName(place, copy.planned);
  const spent = copy.tries >= MAX_TRIES;
  const others = otherMethods(place, source);
  try {
    const mirror = await place.target.look(place.destination, name);
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
async function again(place: CopyPlace, copy: PendingCopy, name: string) {
  const mirror = await place.target.look(place.destination, name);
  return copyBlob(place, { source: copy.planned.source, reason: copy.planned.reason, ...(mirror && { mirror }) }, copy);
}

/** The ways to copy this blob without leaving the work to the service's queue: for some there is none. */
function otherMethods(place: CopyPlace, source: BlobState): CopyMethod[] {
  const others = methodsFor(source, place.method).filter((method) => method !== 'async');
  return (others.length > 0 ? others : (['blocks'] as const)).filter(
    (method) => method !== 'blocks' || canCopyInBlocks(source),
  );
}

/** Copies by a method that is atomic, where there is one. */
async function anotherWay(place: CopyPlace, copy: PendingCopy, name: string, methods: CopyMethod[]) {
  const mirror = await place.target.look(place.destination, name);
  // Not aborted after all, or not yet: its deadline must not begin anew.
  if (mirror?.copy?.status === 'pending' && mirror.copy.id === copy.copyId) return copy;
  return copyBlob(
    place,
    { source: copy.planned.source, reason: copy.planned.reason, ...(mirror && { mirror }) },
    { tries: copy.tries, ...(methods.length > 0 && { methods }) },
  );
}

function readRecordMatches(metadata: Record<string, string> | undefined, etag: string): boolean {
  const record = readRecord(metadata);
  // A copy whose metadata could not carry the record is known by its id alone.
  return record === undefined || record.etag === etag;
}

function reasonOf({ planned, lacks }: PendingCopy): Partial<Outcome> {
  const { reason } = planned;
  return { ...(reason !== 'pending' && reason !== 'restore' && { reason }), ...(lacks && { code: lacks }) };
}
