import type { WatchedFilter } from '#domain/blobs/blob-filter.ts';
import { vaultNameOf } from '#domain/copying/vault-name.ts';
import { decideEntry, isCopiedBy, traceOf } from '#domain/restore/decide-entry.ts';
import { isArchived } from '#domain/restore/locate.ts';
import { blockSources } from '#domain/restore/restore.ts';
import { failedEntry } from '#domain/run/failed-entry.ts';
import { type ManifestPage, type ManifestPosition, manifestPages } from '#domain/run/manifest.ts';
import { mayHold } from '#domain/run/name-range.ts';
import { asBackedUp, type BlobEntry, type Held, type Outcome, type PlannedItem } from '#domain/run/outcome.ts';
import type { PartEntry, RunSummary } from '#domain/run/run.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { listNamed } from './list-named.ts';
import { backupPages, type FoundEntry, ManifestWalk, type WalkBeside } from './manifest-walk.ts';
import { ofVault } from './of-vault.ts';
import type { RestorePlaces } from './restore-places.ts';
import type { TargetListing } from './target-listing.ts';

/** What a restore of a container walks. */
interface Walked {
  point: RunSummary;
  /** The container as the restore point has it. */
  container: string;
  restore: Pick<RestoreTask, 'startsWith' | 'names'>;
  target: TargetListing;
  filter: Pick<WatchedFilter, 'selects'>;
  from: ManifestPosition | undefined;
  /** Wraps every request to the backup container and the target. */
  noting: <Asked extends unknown[], Answer>(
    ask: (...asked: Asked) => Promise<Answer>,
  ) => (...asked: Asked) => Promise<Answer>;
}

/** Walks the manifest of a container in parallel with its backup container and the target of a restore. */
export function restoreWalk(control: ControlStore, places: RestorePlaces, walked: Walked): ManifestWalk {
  const { point, container, restore, from } = walked;
  return new ManifestWalk(control, pagesOf(point, container, restore), besideOf(places, walked), from);
}

/** The manifest of a container; of a restore of some names, without the parts that cannot have them. */
function pagesOf({ parts }: RunSummary, container: string, { names }: Pick<RestoreTask, 'names'>): ManifestPage[] {
  const pages = manifestPages(parts, container);
  if (!names) return pages;
  const mayHaveSome = (part: PartEntry) => names.some((name) => mayHold(part.names, name));
  return pages.map((page) => ({ ...page, parts: page.parts.filter(mayHaveSome) }));
}

/** The outcome of a name that was asked for and not found: no restore must look as if it had restored it. */
export function nameNotFound(name: string, isUnread: boolean): Outcome {
  const code = isUnread ? 'damaged' : 'container-not-held';
  const message = isUnread
    ? 'A damaged part of the restore point may have had this blob'
    : 'The restore point does not hold a blob of this name';
  return { name, status: 'failed', etag: '', modified: '', size: 0, code, message };
}

function besideOf(
  { source, container, sourcePrefix, targetPrefix }: RestorePlaces,
  { restore: { startsWith, names }, target, filter, noting }: Walked,
): WalkBeside {
  const pages = backupPages(source, container, sourcePrefix, startsWith);
  const byName = {
    listNamed: noting(ofVault((name: string) => listNamed(source, container, name))),
    backupPrefix: sourcePrefix,
  };
  if (names) {
    const wanted = new Set(names);
    return {
      ...byName,
      // A few names in a large container: each is listed on its own, on both sides.
      readBackup: () => async () => ({ blobs: [] }),
      findTarget: noting((name) => target.find(name)),
      isWanted: (name) => wanted.has(name),
    };
  }
  return {
    ...byName,
    readBackup: (beside) => noting(ofVault(pages(beside))),
    target: { read: noting((marker) => target.read(marker)), prefix: targetPrefix },
    isWanted: (name) => name.startsWith(startsWith) && filter.selects(name),
  };
}

/** What a slice does with one entry: an outcome, or a copy to plan. */
export function decideFound(
  places: RestorePlaces,
  { entry, content, named, target }: FoundEntry,
): Outcome | PlannedItem {
  if (!canBeRestored(places, entry)) return failedEntry(entry, 'unsupported-name');
  if (typeof content === 'string') return failedEntry(entry, content);
  // This run has copied nothing yet: a target blob can only be the work of the run that it retries.
  const mayBeOurs = places.run.retryOf !== undefined && target !== undefined;
  const isOurs = mayBeOurs && isCopiedBy(places, entry, named, target, undefined);
  if (mayBeOurs && !isOurs && blockSources(places.run, entry, target, named, undefined).length > 0) {
    // Its blocks decide. A version that is not known makes the restore look at both sides before it copies.
    return { from: { ...content, etag: '' }, reason: 'restore', entry: asHeld(entry) };
  }
  const decision = decideEntry(places, entry, content, target, isOurs);
  const planned = (): PlannedItem => ({
    from: content,
    reason: 'restore',
    entry: asHeld(entry),
    ...(target && !isOurs && { to: target }),
  });
  switch (decision.action) {
    case 'copy':
      if (isArchived(content) && places.policy.rehydrate === undefined) return failedEntry(entry, 'content-archived');
      return planned();
    case 'done':
      return planned();
    case 'unchanged':
      return { ...asBackedUp(entry), status: 'unchanged' };
    case 'skip':
      return { ...asBackedUp(entry), status: 'skipped', code: decision.code };
    case 'fail':
      return { ...failedEntry(entry, decision.code), ...traceOf(target) };
  }
}

function canBeRestored(places: RestorePlaces, entry: BlobEntry): boolean {
  return (
    places.source.canAddress(places.container, places.sourcePrefix + vaultNameOf(entry)) &&
    places.target.canAddress(places.destination, places.targetPrefix + entry.name)
  );
}

/** With the code of what its backup could not carry along: the restored blob will lack it too. */
function asHeld(entry: Held): Held {
  const lacks = entry.code === 'tags-not-read' || entry.code === 'tags-not-written' ? { code: entry.code } : {};
  return { ...asBackedUp(entry), status: entry.status, ...lacks };
}
