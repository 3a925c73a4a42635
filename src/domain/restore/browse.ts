import { mayHoldPrefix } from '../run/name-range.ts';
import type { Outcome } from '../run/outcome.ts';
import type { PartEntry } from '../run/run.ts';

/** Selects what to show of a container. */
export interface View {
  /** Only names that start with this text. */
  prefix: string;
  /** A name that continues after the delimiter is not shown; its folder is, once. */
  delimiter?: string | undefined;
  /** The last folder that was shown. It may continue in the next outcomes, and is not shown again. */
  folder?: string | undefined;
}

/** One row of the view. A folder has its prefix and its delimiter. */
export type Row = { outcome: Outcome } | { folder: string };

/** The outcomes, sorted as they were listed, as the content of a folder. */
export function folderView(outcomes: readonly Outcome[], view: View): Row[] {
  const rows: Row[] = [];
  const shown = new Set([view.folder]);
  for (const outcome of outcomes) {
    if (!outcome.name.startsWith(view.prefix)) continue;
    const folder = folderOf(outcome.name, view);
    if (folder === undefined) rows.push({ outcome });
    else if (!shown.has(folder)) rows.push({ folder });
    shown.add(folder);
  }
  return rows;
}

/** The folder of a name below the prefix; undefined if the name itself is shown. */
export function folderOf(name: string, { prefix, delimiter }: View): string | undefined {
  const end = delimiter !== undefined && name.startsWith(prefix) ? name.indexOf(delimiter, prefix.length) : -1;
  return end < 0 ? undefined : name.slice(0, end + delimiter!.length);
}

/** The last folder in the rows, or the one before them. */
export function lastFolder(rows: readonly Row[], before: string | undefined): string | undefined {
  const last = rows.findLast((row) => 'folder' in row);
  return last && 'folder' in last ? last.folder : before;
}

/** False only if the part adds nothing to the view, so that it need not be read. */
export function mayAdd(part: PartEntry, { prefix, folder }: View): boolean {
  const { names } = part;
  if (!hasOutcomes(part) || !mayHoldPrefix(names, prefix)) return false;
  // All names between two that start alike start so, too.
  return folder === undefined || names === undefined || !names.every((name) => name.startsWith(folder));
}

export function hasOutcomes({ copied, unchanged, skipped, failed }: PartEntry): boolean {
  return copied + unchanged + skipped + failed > 0;
}

/**
 * The final outcomes of the blobs: a later outcome of the same name replaces a failure. `later` has the outcomes of the
 * runs that follow, in their order.
 */
export function settled(outcomes: readonly Outcome[], later: Iterable<Outcome>): Outcome[] {
  const failed = new Map(
    outcomes.filter(({ status }) => status === 'failed').map((outcome) => [outcome.name, outcome]),
  );
  for (const outcome of later) {
    if (failed.get(outcome.name)?.status === 'failed') failed.set(outcome.name, outcome);
  }
  return outcomes.map((outcome) => (outcome.status === 'failed' ? failed.get(outcome.name)! : outcome));
}
