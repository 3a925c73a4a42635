import type { BlobState } from '#domain/blobs/blob.ts';
import { sourceOf } from '#domain/copying/copy-source.ts';
import { decideRestore, isBrokenOff, isMadeBy, type RestoreDecision } from '#domain/restore/restore.ts';
import type { BlobEntry, Outcome } from '#domain/run/outcome.ts';
import type { RestoreRoute } from './restore-route.ts';

/** Decides one entry of a restore point: `content` holds it in the vault, `target` is the blob that is there. */
export function decideEntry(
  route: RestoreRoute,
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
  route: RestoreRoute,
  entry: BlobEntry,
  named: readonly BlobState[],
  target: BlobState,
  before: BlobState | undefined,
): boolean {
  return isMadeBy(route.run, entry, target, named, (blob) => addressOf(route, blob), before);
}

function addressOf({ source, container }: RestoreRoute, content: BlobState): string {
  return sourceOf(source.endpoint, container, content);
}
