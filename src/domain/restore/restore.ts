import { type BlobState, otherContentHeader } from '../blobs/blob.ts';
import { matches } from '../blobs/container-pattern.ts';
import { canBeSent, tagFingerprint, withoutRecord } from '../copying/record.ts';
import type { BlobEntry } from '../run/outcome.ts';
import type { RestoreRef } from '../run/run.ts';
import { parseRunId } from '../run/run-id.ts';
import { tableOfTask } from '../run/task-name.ts';
import type { Existing, RestoreTask } from '../run/tasks.ts';
import { matchesTable } from '../tables/table-name.ts';

/** Whether what was backed up under this name, a container's or `table.` with a table's, is to be restored. */
export function isRestored(
  { containers, tables = [] }: Pick<RestoreTask, 'containers' | 'tables'>,
  share: string,
): boolean {
  if (containers.length === 0 && tables.length === 0) return true;
  const table = tableOfTask(share);
  if (table === undefined) return containers.some((pattern) => matches(pattern, share));
  return tables.some((pattern) => matchesTable(pattern, table));
}

/** How entities are written where the target may have others. */
export function writeOf(existing: Existing): 'insert' | 'replace' | 'merge' {
  if (existing === 'merge') return 'merge';
  return existing === 'fail' || existing === 'skip' ? 'insert' : 'replace';
}

export type RestoreDecision =
  | { action: 'copy' }
  /** This run made it already; seen when an answer was lost, or an activity runs a second time. */
  | { action: 'done' }
  | { action: 'unchanged' }
  | { action: 'skip' | 'fail'; code: 'target-exists' };

/**
 * Decides what to do about one blob of a restore point. `content` is what holds it in the vault, `target` what the target has
 * under its name. `isOurs` tells whether the target was made from just that content since the restore began.
 */
export function decideRestore(
  entry: BlobEntry,
  content: BlobState,
  target: BlobState | undefined,
  task: Pick<RestoreTask, 'existing' | 'original'>,
  isOurs: boolean,
): RestoreDecision {
  if (target === undefined) return { action: 'copy' };
  if (isOurs) return { action: 'done' };
  switch (task.existing) {
    case 'fail':
    // Nobody can ask for it: there is nothing in a blob to merge.
    case 'merge':
      return { action: 'fail', code: 'target-exists' };
    case 'skip':
      return { action: 'skip', code: 'target-exists' };
    case 'replace':
    case 'overwrite':
    case 'if-different':
      // What is there already need not be brought, and a copy that is replaced by itself would only cost a snapshot.
      return isSame(entry, content, target, task.original) ? { action: 'unchanged' } : { action: 'copy' };
  }
}

/** Clocks of the app and of an account may differ by so much, in milliseconds: beyond it, no signature would be taken either. */
const CLOCK_MARGIN = 15 * 60_000;

/**
 * Whether this run, or the one it retries, copied the target from this content, which lies at `from` (`sourceOf`), or is copying
 * it. No token can be left in a blob that has to come back as it was; but the service itself tells what a blob was copied from,
 * and when. `before` is what the target had when the run began to work on it: that was made by somebody else, perhaps by an
 * earlier restore, when the backup container still held other content at the same address. A listing may not have shown it: so what is
 * taken for ours has all that the content would bring. Tags and tier are the entry's, and decide nothing here.
 */
export function isMadeBy(
  run: Pick<RestoreRef, 'startedAt' | 'retryOf'>,
  target: BlobState,
  content: BlobState,
  from: string,
  before: BlobState | undefined,
): boolean {
  const { copy } = target;
  if (copy?.source === undefined || isLeftover(target) || copy.id === before?.copy?.id) return false;
  if (Date.parse(target.lastModified) < beganAt(run) - CLOCK_MARGIN) return false;
  if (copy.status === 'pending') return copy.source === from;
  if (target.size !== content.size || target.type !== content.type) return false;
  // Another version may have the same bytes.
  if (otherContentHeader(content, target) !== undefined || !hasMetadataOf(content, target)) return false;
  if (target.contentMd5 !== undefined && content.contentMd5 !== undefined) {
    // The content may have moved into a snapshot since it was copied.
    return target.contentMd5 === content.contentMd5 && blobIn(copy.source) === blobIn(from);
  }
  // What is kept never changes; a base blob may have held something else when it was copied.
  const isFixed = content.snapshotOrVersion !== undefined;
  return copy.source === from && (isFixed || Date.parse(target.lastModified) >= Date.parse(content.lastModified));
}

/** Whether it has the metadata that a copy of the content is given; where that has none of its own, our record may still be there. */
function hasMetadataOf(content: BlobState, target: BlobState): boolean {
  const own = withoutRecord(content.metadata);
  const there = Object.keys(own).length > 0 ? (target.metadata ?? {}) : withoutRecord(target.metadata);
  return sameEntries(asLookedAt(own), asLookedAt(there));
}

/** As a listing and a look at a single blob both show it: a look tells no case, and not exactly what is no plain ASCII. */
function asLookedAt(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), canBeSent({ [key]: value }) ? value : '']),
  );
}

function beganAt({ startedAt, retryOf }: Pick<RestoreRef, 'startedAt' | 'retryOf'>): number {
  const earlier = retryOf === undefined ? undefined : parseRunId(retryOf)?.startedAt;
  return Math.min(Date.parse(startedAt), earlier?.getTime() ?? Number.POSITIVE_INFINITY);
}

/** Whether the target is what a broken-off copy of the blob at `from`, as it is or was, has left: not what anybody had there. */
export function isBrokenOff(target: BlobState, from: string): boolean {
  return isLeftover(target) && target.copy?.source !== undefined && blobIn(target.copy.source) === blobIn(from);
}

/** Whichever of its snapshots and versions the address names. */
function blobIn(source: string): string {
  const cut = source.indexOf('?');
  return cut < 0 ? source : source.slice(0, cut);
}

/** What a failed or aborted copy has left. */
export function isLeftover({ copy }: BlobState): boolean {
  return copy !== undefined && (copy.status === 'failed' || copy.status === 'aborted');
}

/** Whether the target has all that the restore would bring: as far as a listing tells, and never on a guess. */
function isSame(entry: BlobEntry, content: BlobState, target: BlobState, original: boolean): boolean {
  if (target.size !== entry.size || target.type !== (entry.type ?? 'block')) return false;
  if (target.copy !== undefined && target.copy.status !== 'success') return false;
  if (entry.tier !== undefined && entry.tier !== target.tier) return false;
  if ((target.tagCount ?? 0) > 0 || Object.keys(entry.tags ?? {}).length > 0) {
    if (target.tags === undefined || tagFingerprint(target.tags) !== tagFingerprint(entry.tags)) return false;
  }
  if (original && target.etag === entry.etag) return true;
  // An MD5 is a property that could be set at will; who can do so can also write what they like.
  if (entry.md5 === undefined || target.contentMd5 !== entry.md5) return false;
  return (
    otherContentHeader(content, target) === undefined &&
    sameEntries(withoutRecord(content.metadata), target.metadata ?? {})
  );
}

function sameEntries(one: Record<string, string>, other: Record<string, string>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
