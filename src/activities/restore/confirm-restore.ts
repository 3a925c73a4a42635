import { copyDeadline } from '#domain/copying/copy-method.ts';
import { isArchived } from '#domain/restore/locate.ts';
import type { CopyMethod, Outcome, PendingCopy, PlannedItem } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import type { CopyContext } from '../copying/copy-context.ts';
import { targetName } from '../copying/route.ts';
import { ofVault } from './held-content.ts';
import { failed, finish, MAX_TRIES, restoreBlob } from './restore-blob.ts';
import { codeOf } from './restore-problem-code.ts';

/** Rehydrating takes up to 15 hours; then it is given up, in milliseconds. */
export const REHYDRATION_DEADLINE = 48 * 3_600_000;

/** Looks at what was pending, and brings it to an end where it can. */
export async function confirmRestore(place: CopyContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  const { planned } = copy;
  const entry = planned.entry!;
  const holder = planned.from;
  const name = targetName(place, planned);
  const age = place.now().getTime() - Date.parse(copy.startedAt);
  try {
    if (copy.rehydrating) {
      const now = await ofVault(() =>
        place.source.getProperties(place.container, holder.name, holder.snapshotOrVersion),
      )();
      if (now && isArchived(now)) {
        return age < REHYDRATION_DEADLINE ? copy : failed(entry, 'content-archived', 'It was not rehydrated in time');
      }
      const again = { started: copy.tries, rehydratingSince: copy.startedAt };
      return await restoreBlob(place, withoutSource(planned), again);
    }
    const target = await place.target.getProperties(place.destination, name);
    if (target?.copy?.id === copy.copyId) {
      if (target.copy.status === 'success' && target.size === entry.size) {
        return await finish(place, planned, holder, target, copy.lacks ? { code: copy.lacks } : {});
      }
      if (target.copy.status === 'pending') {
        if (age < copyDeadline(entry.size, place.copyDeadlineMs)) return copy;
        await abortQuietly(place.target, place.destination, name, copy.copyId);
        const now = await place.target.getProperties(place.destination, name);
        if (now?.copy?.status === 'pending') {
          return age < 2 * copyDeadline(entry.size, place.copyDeadlineMs) ? copy : failed(entry, 'copy-stuck');
        }
      }
      if (copy.tries > MAX_TRIES || (copy.tries === MAX_TRIES && holder.type !== 'block')) {
        if (target.copy.status === 'pending') return failed(entry, 'copy-stuck');
        return failed(entry, 'copy-failed', target.copy.description);
      }
    } else if (copy.tries > MAX_TRIES) {
      return failed(entry, 'target-changing');
    }
    // What a failed copy left is ours to replace, whatever is to become of blobs that were there.
    const methods: CopyMethod[] | undefined = copy.tries >= MAX_TRIES ? ['blocks'] : undefined;
    const again = await restoreBlob(place, withoutSource(planned), {
      started: copy.tries,
      ...(methods && { methods }),
    });
    return again;
  } catch (error) {
    if (!isStorageError(error)) throw error;
    if (error.kind === 'aborted') return copy;
    if (age < copyDeadline(entry.size, place.copyDeadlineMs)) return copy;
    return failed(entry, codeOf(error), error.message);
  }
}

/** Both sides are to be looked at anew. */
export function withoutSource(planned: PlannedItem): PlannedItem {
  return { ...planned, from: { ...planned.from, etag: '' } };
}
