import type { Answer } from './answer.ts';
import type { PointTime } from './find.ts';

type ApiBlob = Answer<'listPointBlobs'>['items'][number];

/** A row of a folder: another folder, or a blob. `label` is what its name adds to that of the folder. */
export type Entry = { kind: 'folder'; label: string; prefix: string } | { kind: 'blob'; label: string; blob: ApiBlob };

export interface Folder {
  folders: Extract<Entry, { kind: 'folder' }>[];
  blobs: Extract<Entry, { kind: 'blob' }>[];
  /** Where the folder continues; null if it is complete. */
  next: string | null;
}

export const NO_ENTRIES: Folder = { folders: [], blobs: [], next: null };

/** With one more page. A page may be short or empty and still have a next one. */
export function withEntries({ folders, blobs }: Folder, page: Answer<'listPointBlobs'>, prefix: string): Folder {
  return {
    folders: [
      ...folders,
      ...page.folders.map((each) => ({ kind: 'folder' as const, label: each.prefix.slice(prefix.length), ...each })),
    ],
    blobs: [
      ...blobs,
      ...page.items.map((blob) => ({ kind: 'blob' as const, label: blob.name.slice(prefix.length), blob })),
    ],
    next: page.next,
  };
}

/** Folders first. */
export function entriesOf({ folders, blobs }: Folder): Entry[] {
  return [...folders, ...blobs];
}

/** The folders above, from the container down. Slashes that follow each other make folders without a name. */
export function crumbsOf(prefix: string): { label: string; prefix: string }[] {
  const crumbs: { label: string; prefix: string }[] = [];
  let from = 0;
  for (let to = prefix.indexOf('/'); to >= 0; to = prefix.indexOf('/', from)) {
    crumbs.push({ label: prefix.slice(from, to), prefix: prefix.slice(0, to + 1) });
    from = to + 1;
  }
  return crumbs;
}

/** The folder that has this one. */
export function parentOf(prefix: string): string {
  return prefix.slice(0, prefix.slice(0, -1).lastIndexOf('/') + 1);
}

/** The restore points of the same job before and after this one: a walk through time keeps the folder. */
export function neighbors(
  points: readonly (PointTime & { job: string })[],
  id: string,
): { older: PointTime | undefined; newer: PointTime | undefined } {
  const job = points.find((point) => point.id === id)?.job;
  const own = points.filter((point) => point.job === job);
  const at = own.findIndex((point) => point.id === id);
  return { older: own[at + 1], newer: own[at - 1] };
}

/** Why a blob of a restore point cannot be restored from it, or undefined. */
export function lackOf({ status, code }: ApiBlob): string | undefined {
  return status === 'held' ? undefined : `${status}${code === undefined ? '' : `: ${code}`}`;
}
