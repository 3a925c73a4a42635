import type { BlobState } from '../blobs/blob.ts';
import { sourceOf } from '../copying/copy-source.ts';
import type { BlobEntry, Failed, Outcome } from '../run/outcome.ts';
import type { RestoreRef } from '../run/run.ts';
import type { RestoreTask } from '../run/tasks.ts';
import { decideRestore, isBrokenOff, isMadeBy, type RestoreDecision } from './restore.ts';

/** Where a restore reads, and what it does with the blobs that are in the target. */
export interface RestoreChoice {
  source: { endpoint: string };
  /** The backup container. */
  container: string;
  /** When the restore began, and which one it tries again: this shows which blobs in the target it copied itself. */
  run: Pick<RestoreRef, 'startedAt' | 'retryOf'>;
  policy: Pick<RestoreTask, 'existing' | 'original' | 'rehydrate'>;
}

/** Decides one entry of a restore point: `content` holds it in the vault, `target` is the blob that is there. */
export function decideEntry(
  route: RestoreChoice,
  entry: Outcome,
  content: BlobState,
  target: BlobState | undefined,
  isOurs: boolean,
): RestoreDecision {
  if (target !== undefined && isBrokenOff(target, addressOf(route, content))) return { action: 'copy' };
  return decideRestore(entry, target, route.policy, isOurs);
}

/** Whether this restore, or the one it tries again, copied the target from what the vault has under its name. */
export function isCopiedBy(
  route: RestoreChoice,
  entry: BlobEntry,
  named: readonly BlobState[],
  target: BlobState,
  before: BlobState | undefined,
): boolean {
  return isMadeBy(route.run, entry, target, named, (blob) => addressOf(route, blob), before);
}

function addressOf({ source, container }: RestoreChoice, content: BlobState): string {
  return sourceOf(source.endpoint, container, content);
}

/** What a retry needs to recognize a target blob that is not ours. Only a copy, by any method, could be mistaken. */
export function traceOf(target: BlobState | undefined): Pick<Failed, 'source'> {
  if (target === undefined || (target.copy === undefined && target.type !== 'block')) return {};
  const { name, etag, lastModified, size, type, copy } = target;
  return { source: { name, etag, lastModified, size, type, ...(copy && { copy }) } };
}
