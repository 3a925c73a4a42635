import { problemCodeOf } from '#app/problem-code.ts';
import type { BlobState, CopyState } from '#domain/blobs/blob.ts';
import { copyDeadline, methodsFor } from '#domain/copying/copy-method.ts';
import { heldAs } from '#domain/copying/held.ts';
import { isCopiedByService, readRecord } from '#domain/copying/record.ts';
import { defined } from '#domain/run/defined.ts';
import {
  type Copied,
  type CopyMethod,
  copyReasonOf,
  type Outcome,
  outcomeOf,
  type PendingCopy,
} from '#domain/run/outcome.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { abortQuietly } from './abort-quietly.ts';
import { copyBlob } from './copy-blob.ts';
import type { BackupContext } from './copy-context.ts';
import { MAX_ASYNC_COPIES } from './copy-limits.ts';
import { targetName } from './route.ts';

/** Checks a pending copy, and brings it to an end where it can. */
export async function confirmCopy(context: BackupContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  try {
    return await confirm(context, copy);
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // Stopped by the request to cancel, which the activity handles next.
    if (error.kind === 'aborted') return copy;
    // A failed check says nothing of the copy: check again in the next round, until the deadline.
    if (!isOverdue(context, copy)) return copy;
    const { from: source } = copy.planned;
    return outcomeOf(source, 'failed', { code: problemCodeOf(error, 'destination'), message: error.message, source });
  }
}

async function confirm(context: BackupContext, copy: PendingCopy): Promise<Outcome | PendingCopy> {
  const { from: source } = copy.planned;
  const name = targetName(context, copy.planned);
  const others = otherMethods(context, source);
  const isSpent = copy.tries >= MAX_ASYNC_COPIES;
  const backup = await context.target.getProperties(context.destination, name);
  const found = backup?.copy;
  if (backup && found?.id === copy.copyId) {
    if (found.status === 'success' && backup.size === source.size && hasRecordOf(backup, source)) {
      return heldAs(source, 'copied', { vaultEtag: backup.etag, method: 'async', ...nameOf(copy), ...reasonOf(copy) });
    }
    if (found.status === 'pending') return endPending(context, copy, name, others);
    if (isSpent && others.length === 0) return endedWith(source, found);
  } else if (copy.tries > MAX_ASYNC_COPIES) {
    return outcomeOf(source, 'failed', { code: 'destination-changing', source });
  }
  // The copy failed; or another writer wrote the blob, or its copy state is gone, so that the blob proves nothing.
  return isSpent && others.length > 0 ? copyByOtherMethod(context, copy, name, others) : copyAgain(context, copy, name);
}

/** Waits for a copy until its deadline; then aborts it and copies in another way. */
async function endPending(
  context: BackupContext,
  copy: PendingCopy,
  name: string,
  others: CopyMethod[],
): Promise<Outcome | PendingCopy> {
  const { from: source } = copy.planned;
  if (!isOverdue(context, copy)) return copy;
  await abortQuietly(context.target, context.destination, name, copy.copyId);
  const stuck = outcomeOf(source, 'failed', { code: 'copy-stuck', source });
  if (copy.tries >= MAX_ASYNC_COPIES && others.length === 0) return stuck;
  const next = await copyByOtherMethod(context, copy, name, others);
  // A copy that does not even end when it is aborted is left to the next run.
  return next === copy && isOverdue(context, copy, 2) ? stuck : next;
}

/** Whether a copy has been pending for `times` its deadline. */
function isOverdue({ now, copyDeadlineMs }: BackupContext, { planned, startedAt }: PendingCopy, times = 1): boolean {
  return now().getTime() - Date.parse(startedAt) >= times * copyDeadline(planned.from.size, copyDeadlineMs);
}

function endedWith(source: BlobState, { status, description }: CopyState): Outcome {
  const message = description ?? `The copy ended as ${status}`;
  return outcomeOf(source, 'failed', { code: 'copy-failed', message, source });
}

/** Decides and copies the blob again, from the current state of both sides. */
async function copyAgain(context: BackupContext, copy: PendingCopy, name: string): Promise<Outcome | PendingCopy> {
  const { from, reason } = copy.planned;
  const backup = await context.target.getProperties(context.destination, name);
  return copyBlob(context, { from, reason, ...(backup && { to: backup }), ...nameOf(copy) }, { tries: copy.tries });
}

/** The methods that do not leave the copy to the service's queue. Some blobs have none. */
function otherMethods(context: BackupContext, source: BlobState): CopyMethod[] {
  const others = methodsFor(source, context.method).filter((method) => method !== 'async');
  return (others.length > 0 ? others : (['blocks'] as const)).filter(
    (method) => method !== 'blocks' || (source.type === 'block' && !isCopiedByService(source.metadata)),
  );
}

/** Copies by an atomic method, if there is one. */
async function copyByOtherMethod(
  context: BackupContext,
  copy: PendingCopy,
  name: string,
  methods: CopyMethod[],
): Promise<Outcome | PendingCopy> {
  const { from, reason } = copy.planned;
  const backup = await context.target.getProperties(context.destination, name);
  // Not aborted, or not yet: its deadline must not begin again.
  if (backup?.copy?.status === 'pending' && backup.copy.id === copy.copyId) return copy;
  return copyBlob(
    context,
    { from, reason, ...(backup && { to: backup }), ...nameOf(copy) },
    { tries: copy.tries, ...(methods.length > 0 && { methods }) },
  );
}

function hasRecordOf({ metadata }: BlobState, source: BlobState): boolean {
  // A copy whose metadata the service copies is known by its id alone.
  return isCopiedByService(source.metadata) || readRecord(metadata)?.etag === source.etag;
}

/** The name of the copy, if it is not that of its source. */
function nameOf({ planned: { vaultName } }: PendingCopy): Pick<Copied, 'vaultName'> {
  return defined({ vaultName });
}

function reasonOf({ planned, lacks }: PendingCopy): Pick<Copied, 'reason' | 'code'> {
  return { ...copyReasonOf(planned.reason), ...(lacks && { code: lacks }) };
}
