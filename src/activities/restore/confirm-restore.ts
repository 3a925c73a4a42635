import { ofVault } from '#app/of-vault.ts';
import { restoreProblemCode } from '#app/restore-problem-code.ts';
import type { BlobState, CopyState } from '#domain/blobs/blob.ts';
import { copyDeadline } from '#domain/copying/copy-method.ts';
import { isArchived } from '#domain/restore/locate.ts';
import { failedEntry } from '#domain/run/failed-entry.ts';
import type { Outcome, PendingCopy, PlannedItem } from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { abortQuietly } from '../copying/abort-quietly.ts';
import { MAX_ASYNC_COPIES } from '../copying/copy-limits.ts';
import { targetName } from '../copying/route.ts';
import { finishRestore } from './finish-restore.ts';
import { restoreBlob } from './restore-blob.ts';
import type { RestoreContext } from './restore-route.ts';

/** Rehydrating takes up to 15 hours. After this many milliseconds, the blob fails. */
const REHYDRATION_DEADLINE = 48 * 3_600_000;

/** Checks a pending copy, or content that is being rehydrated, and brings it to an end where it can. */
export async function confirmRestore(context: RestoreContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  try {
    return await (copy.rehydrating ? confirmRehydration(context, copy) : confirm(context, copy));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    if (error.kind === 'aborted') return copy;
    if (!isOverdue(context, copy)) return copy;
    return failedEntry(copy.planned.entry!, restoreProblemCode(error), error.message);
  }
}

async function confirmRehydration(context: RestoreContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  const { planned, tries, startedAt } = copy;
  const { name, snapshotOrVersion } = planned.from;
  const now = await ofVault(() => context.source.getProperties(context.container, name, snapshotOrVersion))();
  if (now && isArchived(now)) {
    if (ageOf(context, copy) < REHYDRATION_DEADLINE) return copy;
    return failedEntry(planned.entry!, 'content-archived', 'It was not rehydrated in time');
  }
  return restoreBlob(context, toBeFound(planned), { started: tries, rehydratingSince: startedAt });
}

async function confirm(context: RestoreContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  const { planned, tries } = copy;
  const target = await context.target.getProperties(context.destination, targetName(context, planned));
  if (target?.copy?.id === copy.copyId) {
    const result = await endOf(context, copy, target, target.copy);
    if (result) return result;
  } else if (tries > MAX_ASYNC_COPIES) {
    return failedEntry(planned.entry!, 'target-changing');
  }
  // This run may replace the leftovers of its own failed copy, even if it leaves blobs that were there before.
  return restoreBlob(context, toBeFound(planned), {
    started: tries,
    ...(tries >= MAX_ASYNC_COPIES && { methods: ['blocks'] }),
  });
}

/** The outcome of the copy that this run started. Undefined if the blob must be copied again. */
async function endOf(
  context: RestoreContext,
  copy: PendingCopy,
  target: BlobState,
  { status, description }: CopyState,
): Promise<Outcome | PendingCopy | undefined> {
  const { planned, tries, lacks } = copy;
  const entry = planned.entry!;
  const holder = planned.from;
  if (status === 'success' && target.size === entry.size) {
    return finishRestore(context, entry, holder, target, lacks ? { code: lacks } : {});
  }
  if (status === 'pending') {
    const result = await abortOverdue(context, copy);
    if (result) return result;
  }
  const isSpent = tries > MAX_ASYNC_COPIES || (tries === MAX_ASYNC_COPIES && holder.type !== 'block');
  if (!isSpent) return undefined;
  return status === 'pending' ? failedEntry(entry, 'copy-stuck') : failedEntry(entry, 'copy-failed', description);
}

/** Waits for a copy until its deadline, and then aborts it. Undefined once it is no longer pending. */
async function abortOverdue(context: RestoreContext, copy: PendingCopy): Promise<Outcome | PendingCopy | undefined> {
  const name = targetName(context, copy.planned);
  if (!isOverdue(context, copy)) return copy;
  await abortQuietly(context.target, context.destination, name, copy.copyId);
  const now = await context.target.getProperties(context.destination, name);
  if (now?.copy?.status !== 'pending') return undefined;
  return isOverdue(context, copy, 2) ? failedEntry(copy.planned.entry!, 'copy-stuck') : copy;
}

/** Whether a copy has been pending for `times` its deadline. */
function isOverdue(context: RestoreContext, copy: PendingCopy, times = 1): boolean {
  return ageOf(context, copy) >= times * copyDeadline(copy.planned.entry!.size, context.copyDeadlineMs);
}

function ageOf({ now }: RestoreContext, { startedAt }: PendingCopy): number {
  return now().getTime() - Date.parse(startedAt);
}

/** The item without the content that was found before, so that both sides are checked again. */
function toBeFound(planned: PlannedItem): PlannedItem {
  return { ...planned, from: { ...planned.from, etag: '' } };
}
