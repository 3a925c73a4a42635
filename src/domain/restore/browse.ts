import { mayHoldPrefix } from '../run/name-range.ts';
import type { Outcome } from '../run/outcome.ts';
import type { PartEntry } from '../run/run.ts';

/** What of a container is to be seen. */
export interface View {
  /** Only names that begin with this. */
  prefix: string;
  /** Names that go on behind one are not shown: the folder they lie in is, once. */
  delimiter?: string | undefined;
  /** The last folder that has been shown: it goes on in the outcomes that follow, and is not shown again. */
  folder?: string | undefined;
}

/** One row of the view. A folder is told with its prefix and its delimiter. */
export type Row = { outcome: Outcome } | { folder: string };

/** The outcomes, sorted as they were listed, as one looks into a folder. */
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

/** The folder that a name below the prefix lies in; undefined where it is shown itself. */
export function folderOf(name: string, { prefix, delimiter }: View): string | undefined {
  const end = delimiter !== undefined && name.startsWith(prefix) ? name.indexOf(delimiter, prefix.length) : -1;
  return end < 0 ? undefined : name.slice(0, end + delimiter!.length);
}

/** The last folder that the rows show, or what was the last before them. */
export function lastFolder(rows: readonly Row[], before: string | undefined): string | undefined {
  const last = rows.findLast((row) => 'folder' in row);
  return last && 'folder' in last ? last.folder : before;
}

/** False only where the part has nothing to add to the view: it is not read then. */
export function mayAdd(part: PartEntry, { prefix, folder }: View): boolean {
  const { names } = part;
  if (!hasOutcomes(part) || !mayHoldPrefix(names, prefix)) return false;
  // Names between two that begin alike begin so too.
  return folder === undefined || names === undefined || !names.every((name) => name.startsWith(folder));
}

export function hasOutcomes({ copied, unchanged, skipped, failed }: PartEntry): boolean {
  return copied + unchanged + skipped + failed > 0;
}

/**
 * What has become of the blobs in the end: a failure gives way to what a later run says of the same name. `later` has
 * the outcomes of the runs that follow, in their order.
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
