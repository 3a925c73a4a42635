import { defined } from '../run/defined.ts';
import { manifestPages } from '../run/manifest.ts';
import type { PartEntry } from '../run/run.ts';
import { joinedWindow } from '../run/tally.ts';
import { tableOfTask } from '../run/task-name.ts';

/** What a restore point has of one container, and how many blobs it lacks. */
export interface HeldContainer {
  container: string;
  backupContainer: string;
  blobs: number;
  failed: number;
  skipped: number;
}

/** The containers of a restore point. One that failed as a whole is not among them. */
export function heldContainers(parts: readonly PartEntry[]): HeldContainer[] {
  return [...byTask(parts)].flatMap(([container, own]) => {
    if (tableOfTask(container) !== undefined) return [];
    const held: HeldContainer = { container, backupContainer: own[0]!.destination, blobs: 0, failed: 0, skipped: 0 };
    const pages = manifestPages(own, container);
    const last = pages.at(-1)!.run;
    for (const { run, parts } of pages) {
      for (const { copied, unchanged, skipped, failed } of parts) {
        held.blobs += copied + unchanged;
        held.skipped += skipped;
        // A retry tries everything that failed before it, so its own parts have all that still fails.
        if (run === last) held.failed += failed;
      }
    }
    return [held];
  });
}

/** What a restore point has of one table. Times are by the clock of the service, ISO 8601. */
export interface HeldTable {
  table: string;
  entities: number;
  /** Key ranges that could not be read. */
  failed: number;
  /** When the table was read: each entity is as it was at some time in between. */
  window?: { from: string; to: string };
  /** Entities deleted since then may still be in it. */
  deletionsUnknownSince?: string;
}

/**
 * The tables of a restore point, as `heldContainers`. All parts of a table are of one run: a retry has all of it, too.
 */
export function heldTables(parts: readonly PartEntry[]): HeldTable[] {
  return [...byTask(parts)].flatMap(([task, own]) => {
    const table = tableOfTask(task);
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
        ...defined({ deletionsUnknownSince: unknownSince }),
      },
    ];
  });
}

function byTask(parts: readonly PartEntry[]): Map<string, PartEntry[]> {
  const tasks = new Map<string, PartEntry[]>();
  for (const part of parts) {
    const own = tasks.get(part.container);
    if (own) own.push(part);
    else tasks.set(part.container, [part]);
  }
  return tasks;
}
