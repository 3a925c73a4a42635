import type { RestorePlaces } from '#app/restore-places.ts';
import { restoreProblemCode } from '#app/restore-problem-code.ts';
import { decideFound, nameNotFound, restoreWalk } from '#app/restore-walk.ts';
import { TargetListing } from '#app/target-listing.ts';
import { WatchedFilter } from '#domain/blobs/blob-filter.ts';
import { expand } from '#domain/blobs/container-template.ts';
import { NO_COUNTS, type Preview, withDecided } from '#domain/restore/preview.ts';
import type { RestoredTask } from '#domain/restore/restored-tasks.ts';
import type { ManifestPosition } from '#domain/run/manifest.ts';
import type { Outcome, PlannedItem } from '#domain/run/outcome.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import type { RunSummary } from '#domain/run/run.ts';
import type { RestoreTask } from '#domain/run/tasks.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';

/** What a restore would do with a container, or with a part of its blobs. */
export interface PreviewPart extends Preview {
  container: string;
  target: string;
  /** Whether it would make the target container. */
  isNew: boolean;
  /** Why the rest of the container cannot be restored now. */
  problem: { code: string; message: string; hint: string } | null;
  examples: {
    replaced: { container: string; name: string }[];
    failed: { container: string; name: string; code: string }[];
  };
}

interface Accounts {
  control: ControlStore;
  vault: BlobAccount;
  target: BlobAccount;
  /** When the restore would begin, ISO 8601. */
  startedAt: string;
}

interface Wanted {
  summary: RunSummary;
  restore: RestoreTask;
  from: ManifestPosition | undefined;
  /** Whether the answer ends after so many blobs of this container. */
  isEnough(items: number): boolean;
}

const MOST_EXAMPLES = 20;

/** Walks a container as a restore does. `position` is where the next answer continues, if it has to. */
export async function previewContainer(
  { control, vault, target: account, startedAt }: Accounts,
  { container, destination, vaultLocation }: RestoredTask,
  { summary, restore, from, isEnough }: Wanted,
): Promise<{ part: PreviewPart; position?: ManifestPosition }> {
  const places: RestorePlaces = {
    ...{ source: vault, container: vaultLocation!.container, sourcePrefix: vaultLocation!.prefix },
    ...{ target: account, destination, targetPrefix: expand(restore.prefix, container) },
    ...{ run: { startedAt }, policy: restore },
  };
  const listing = new TargetListing(places, restore.startsWith, async () => {});
  const walk = restoreWalk(control, places, {
    ...{ point: summary, container, restore, from, target: listing },
    ...{ filter: new WatchedFilter(restore), noting: (ask) => ask },
  });
  const part: PreviewPart = {
    ...{ container, target: destination, isNew: false, counts: NO_COUNTS, failures: {}, problem: null },
    examples: { replaced: [], failed: [] },
  };
  const missing = new Set(restore.names);
  let isUnread = false;
  try {
    // One answer finds all names, so that it knows which are missing.
    for (let pages = 0; walk.position && (restore.names || pages === 0 || !isEnough(part.counts.items)); pages++) {
      const { found, damaged } = await walk.nextPage();
      isUnread ||= damaged.length > 0;
      for (const outcome of damaged) add(part, outcome.name, outcome);
      for (const each of found) {
        missing.delete(each.entry.name);
        add(part, each.entry.name, decideFound(places, each));
      }
    }
    for (const name of missing) add(part, name, nameNotFound(name, isUnread));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const code = restoreProblemCode(error);
    return { part: { ...part, problem: { code, message: error.message, hint: PROBLEMS[code].hint } } };
  }
  part.isNew = listing.isMissing;
  const { position } = walk;
  return { part, ...(position && { position }) };
}

function add(part: PreviewPart, name: string, decided: Outcome | PlannedItem): void {
  Object.assign(part, withDecided(part, decided));
  const { container, examples } = part;
  if ('from' in decided) {
    if (decided.to && examples.replaced.length < MOST_EXAMPLES) examples.replaced.push({ container, name });
  } else if (decided.status === 'failed' && examples.failed.length < MOST_EXAMPLES) {
    examples.failed.push({ container, name, code: decided.code });
  }
}
