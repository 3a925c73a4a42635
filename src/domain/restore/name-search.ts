import { blobFilter } from '../blobs/blob-filter.ts';
import { mayHoldPrefix } from '../run/name-range.ts';
import type { PartEntry } from '../run/run.ts';
import { tableOfTask } from '../run/task-name.ts';

/** How a name matches what is searched: it contains the text in any case, starts with it, or matches it as a glob. */
export type NameMatch = 'contains' | 'prefix' | 'glob';

export interface NameSearch {
  text: string;
  match: NameMatch;
  /** Only in this container. */
  container?: string | undefined;
}

/** Whether a name is one that is searched. Throws RangeError on a glob that `globProblem` rejects. */
export function nameMatcher({ text, match }: Omit<NameSearch, 'container'>): (name: string) => boolean {
  if (match === 'glob') return blobFilter({ include: [text] });
  if (match === 'prefix') return (name) => name.startsWith(text);
  const wanted = text.toLowerCase();
  return (name) => name.toLowerCase().includes(wanted);
}

/** The parts of a restore point that may hold such names, in order: the ranges of their names rule out others. */
export function partsToSearch(parts: readonly PartEntry[], { text, match, container }: NameSearch): PartEntry[] {
  const start = match === 'prefix' ? text : match === 'glob' ? literalStart(text) : '';
  return parts.filter(
    (part) =>
      part.copied + part.unchanged > 0 &&
      tableOfTask(part.container) === undefined &&
      (container === undefined || part.container === container) &&
      mayHoldPrefix(part.names, start),
  );
}

/** What every name that matches a glob starts with. */
function literalStart(glob: string): string {
  const [start = ''] = /^[^*?[\]{}\\]*/.exec(glob) ?? [];
  // A glob of everything in a folder may stand for the folder, too.
  return start.replace(/\/$/, '');
}
