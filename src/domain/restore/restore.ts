import { type BlobState, otherContentHeader } from '../blobs/blob.ts';
import { matches } from '../blobs/container-pattern.ts';
import { canBeSent, withoutRecord } from '../copying/record.ts';
import type { BlobEntry } from '../run/outcome.ts';
import type { RestoreRef } from '../run/run.ts';
import { parseRunId } from '../run/run-id.ts';
import { tableOfTask } from '../run/task-name.ts';
import type { Existing, RestoreTask } from '../run/tasks.ts';
import { matchesTable } from '../tables/table-name.ts';
import { holds } from './locate.ts';
import { restoredMetadata } from './restored-metadata.ts';

/** Whether to restore the container or table of this name (`table.orders` for a table). */
export function isRestored(
  { containers, tables = [] }: Pick<RestoreTask, 'containers' | 'tables'>,
  task: string,
): boolean {
  if (containers.length === 0 && tables.length === 0) return true;
  const table = tableOfTask(task);
  if (table === undefined) return containers.some((pattern) => matches(pattern, task));
  return tables.some((pattern) => matchesTable(pattern, table));
}

/** How entities are written if the target may have others. */
export function writeOf(existing: Existing): 'insert' | 'replace' | 'merge' {
  if (existing === 'merge') return 'merge';
  return existing === 'fail' || existing === 'skip' ? 'insert' : 'replace';
}

export type RestoreDecision =
  | { action: 'copy' }
  /** This run has made it: an answer was lost, or an activity runs a second time. */
  | { action: 'done' }
  | { action: 'unchanged' }
  | { action: 'skip' | 'fail'; code: 'target-exists' };

/**
 * Decides what to do with one blob of a restore point. `target` is the blob of its name in the target. `isOurs` says
 * whether the target was made from the very content of the entry since the restore began.
 */
export function decideRestore(
  entry: BlobEntry,
  target: BlobState | undefined,
  task: Pick<RestoreTask, 'existing' | 'original'>,
  isOurs: boolean,
): RestoreDecision {
  if (target === undefined) return { action: 'copy' };
  if (isOurs) return { action: 'done' };
  switch (task.existing) {
    case 'fail':
    // No request can ask for this: a blob has nothing to merge.
    case 'merge':
      return { action: 'fail', code: 'target-exists' };
    case 'skip':
      return { action: 'skip', code: 'target-exists' };
    case 'replace':
    case 'overwrite':
    case 'if-different':
      // A target that already has everything needs no copy; replacing it would only cost a snapshot.
      return task.original && isSame(entry, target) ? { action: 'unchanged' } : { action: 'copy' };
  }
}

/**
 * By how much the clocks of the app and of an account may differ, in milliseconds. Signatures fail beyond that, too.
 */
const CLOCK_MARGIN = 15 * 60_000;

/**
 * Whether this run, or the one it retries, made the target from the content of an entry, or is copying it. A restored
 * blob must be as it was, so it cannot carry a token; but the service says from what a blob was copied, and when.
 *
 * `named` is everything that the vault has under the name, and `addressOf` the address of each (`sourceOf`): several
 * may have the content, and each execution of an activity may have copied another of them. `before` is the target when
 * the run started to work on it: another writer made that one, perhaps an earlier restore while the vault had other
 * content at the same address. A listing may have missed it, so a target counts as ours only if it has everything that
 * the content would bring. Tags and tier are those of the entry and decide nothing here.
 */
export function isMadeBy(
  run: Pick<RestoreRef, 'startedAt' | 'retryOf'>,
  entry: BlobEntry,
  target: BlobState,
  named: readonly BlobState[],
  addressOf: (blob: BlobState) => string,
  before: BlobState | undefined,
): boolean {
  const { copy } = target;
  if (copy?.source === undefined || isLeftover(target) || copy.id === before?.copy?.id) return false;
  if (Date.parse(target.lastModified) < beganAt(run) - CLOCK_MARGIN) return false;
  return named.some(
    (content) =>
      holds(entry, content) &&
      isCopiedFrom(target, content, named, addressOf(content)) &&
      (copy.status === 'pending' || hasEverythingOf(entry, content, target)),
  );
}

/**
 * The contents from which this run, or the one it retries, may have committed the target in blocks. Such a blob does
 * not show what it was copied from; the ids of its blocks do, and only a request shows them. The rest is as for
 * `isMadeBy`.
 */
export function blockSources(
  run: Pick<RestoreRef, 'startedAt' | 'retryOf'>,
  entry: BlobEntry,
  target: BlobState,
  named: readonly BlobState[],
  before: BlobState | undefined,
): BlobState[] {
  if (target.copy !== undefined || target.type !== 'block' || target.size === 0) return [];
  if (target.etag === before?.etag || Date.parse(target.lastModified) < beganAt(run) - CLOCK_MARGIN) return [];
  return named.filter((content) => holds(entry, content) && hasEverythingOf(entry, content, target));
}

/** Whether the target was copied from this content, which is at `from`, or from the base blob while that had it. */
function isCopiedFrom(target: BlobState, content: BlobState, named: readonly BlobState[], from: string): boolean {
  const source = target.copy?.source;
  const since = Date.parse(content.lastModified);
  const at = Date.parse(target.lastModified);
  // Snapshots and versions never change. A base blob may have had other content when it was copied.
  if (source === from)
    return content.snapshotOrVersion !== undefined || target.copy?.status === 'pending' || at >= since;
  return source === blobIn(from) && at >= since && at <= baseBlobUntil(content, named);
}

/**
 * Until when the base blob had the content of a snapshot or version: what came after it is there, too, because nothing
 * that a restore point needs is overwritten without being kept. Where nothing came after it, the content was the base
 * blob at least until its snapshot was taken.
 */
function baseBlobUntil({ lastModified, snapshotOrVersion }: BlobState, named: readonly BlobState[]): number {
  const later = named.map((blob) => Date.parse(blob.lastModified)).filter((time) => time > Date.parse(lastModified));
  if (later.length > 0) return Math.min(...later);
  return snapshotOrVersion !== undefined && 'snapshot' in snapshotOrVersion
    ? Date.parse(snapshotOrVersion.snapshot)
    : Number.NEGATIVE_INFINITY;
}

function hasEverythingOf(entry: BlobEntry, content: BlobState, target: BlobState): boolean {
  if (target.size !== content.size || target.type !== content.type) return false;
  // Another version may have the same length.
  return otherContentHeader(content, target) === undefined && hasMetadataOf(entry, content, target);
}

/** Whether it has the metadata that a restore gives it. If that is none, our record may still be there. */
function hasMetadataOf(entry: BlobEntry, content: BlobState, target: BlobState): boolean {
  const own = restoredMetadata(entry, content).metadata;
  const there = Object.keys(own).length > 0 ? (target.metadata ?? {}) : withoutRecord(target.metadata);
  return sameEntries(asShown(own), asShown(there));
}

/**
 * As a listing and a request for properties both show it: a request for properties shows neither the case nor
 * characters that are not plain ASCII.
 */
function asShown(metadata: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [key.toLowerCase(), canBeSent({ [key]: value }) ? value : '']),
  );
}

function beganAt({ startedAt, retryOf }: Pick<RestoreRef, 'startedAt' | 'retryOf'>): number {
  const earlier = retryOf === undefined ? undefined : parseRunId(retryOf)?.startedAt;
  return Math.min(Date.parse(startedAt), earlier?.getTime() ?? Number.POSITIVE_INFINITY);
}

/**
 * Whether the target is what an interrupted copy of the blob at `from`, as it is or was, has left, and not another
 * writer's blob.
 */
export function isBrokenOff(target: BlobState, from: string): boolean {
  return isLeftover(target) && target.copy?.source !== undefined && blobIn(target.copy.source) === blobIn(from);
}

/** Without the snapshot or version in the address. */
function blobIn(source: string): string {
  const cut = source.indexOf('?');
  return cut < 0 ? source : source.slice(0, cut);
}

/** The remains of a failed or aborted copy. */
export function isLeftover({ copy }: BlobState): boolean {
  return copy !== undefined && (copy.status === 'failed' || copy.status === 'aborted');
}

/**
 * Whether the target, the place that was backed up, still has the version that was backed up. Only its ETag shows that:
 * length, MD5, headers and metadata are what a writer sets them to. Tier, tags and a seal change no ETag.
 */
function isSame(entry: BlobEntry, target: BlobState): boolean {
  if (target.etag !== entry.etag) return false;
  if (entry.tier !== undefined && entry.tier !== target.tier) return false;
  if ((entry.sealed ?? false) !== (target.sealed ?? false)) return false;
  if ((target.tagCount ?? 0) === 0 && Object.keys(entry.tags ?? {}).length === 0) return true;
  return target.tags !== undefined && hasSameTags(entry, target);
}

/** Compares the tags themselves: a writer can find two sets of tags that have one fingerprint. */
export function hasSameTags(one: Pick<BlobEntry, 'tags'>, other: Pick<BlobState, 'tags'>): boolean {
  return sameEntries(one.tags ?? {}, other.tags ?? {});
}

function sameEntries(one: Record<string, string>, other: Record<string, string>): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
