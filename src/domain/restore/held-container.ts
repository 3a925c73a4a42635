import { manifestPages } from '../run/manifest.ts';
import type { PartEntry } from '../run/run.ts';
import { joinedWindow } from '../run/tally.ts';
import { tableOfTask } from '../run/task-name.ts';

/** What a restore point has of one container, and how many blobs it lacks there. */
export interface HeldContainer {
  container: string;
  /** Container in the vault. */
  backupContainer: string;
  blobs: number;
  failed: number;
  skipped: number;
}

/** The containers of a restore point. One that failed as a whole is not among them. */
export function heldContainers(parts: readonly PartEntry[]): HeldContainer[] {
  return [...byShare(parts)].flatMap(([container, own]) => {
    if (tableOfTask(container) !== undefined) return [];
    const held: HeldContainer = { container, backupContainer: own[0]!.destination, blobs: 0, failed: 0, skipped: 0 };
    const pages = manifestPages(own, container);
    const last = pages.at(-1)!.run;
    for (const { run, parts } of pages) {
      for (const { copied, unchanged, skipped, failed } of parts) {
        held.blobs += copied + unchanged;
        held.skipped += skipped;
        // A retry tries all that failed before it, so what still fails is what its own parts say.
        if (run === last) held.failed += failed;
      }
    }
    return [held];
  });
}

/** What a restore point has of one table. Times are by the service's clock, ISO 8601. */
export interface HeldTable {
  table: string;
  entities: number;
  /** Stretches of its keys that could not be read. */
  failed: number;
  /** Between which times it was read: every entity is as it was at some moment of these. */
  window?: { from: string; to: string };
  /** Entities that were deleted since then may still be in it. */
  deletionsUnknownSince?: string;
}

/** The tables of a restore point, as `heldContainers`. The parts of each are of one run: a retry, too, has all of a table. */
export function heldTables(parts: readonly PartEntry[]): HeldTable[] {
  return [...byShare(parts)].flatMap(([share, own]) => {
    const table = tableOfTask(share);
    if (table === undefined) return [];
    const windows = own.flatMap(({ window }) => (window ? [window] : []));
    const window = windows.reduce<PartEntry['window']>(joinedWindow, undefined);
    const [unknownSince] = own.flatMap((part) => part.deletionsUnknownSince ?? []).sort();
    return [
      {
        table,
        entities: own.reduce((sum, { copied, unchanged }) => sum + copied + unchanged, 0),
        failed: own.reduce((sum, { failed }) => sum + failed, 0),
        ...(window && { window: { from: window[0], to: window[1] } }),
        ...(unknownSince !== undefined && { deletionsUnknownSince: unknownSince }),
      },
    ];
  });
}

function byShare(parts: readonly PartEntry[]): Map<string, PartEntry[]> {
  const shares = new Map<string, PartEntry[]>();
  for (const part of parts) {
    const own = shares.get(part.container);
    if (own) own.push(part);
    else shares.set(part.container, [part]);
  }
  return shares;
}
