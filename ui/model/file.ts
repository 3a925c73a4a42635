import type { Answer } from './answer.ts';
import type { PointTime } from './find.ts';
import { counted } from './quantity.ts';

type ApiVersion = Answer<'blobHistory'>['versions'][number];

/** One version of a blob, and the restore points that hold it, newest first. */
export type Version = Pick<ApiVersion, 'etag' | 'modified' | 'size' | 'md5' | 'tier' | 'restorePoints'>;

export interface History {
  versions: Version[];
  /** How many of the restore points that were searched do not hold the blob. */
  absent: number;
  /** Where older restore points continue, or null. */
  next: string | null;
}

export const NO_HISTORY: History = { versions: [], absent: 0, next: null };

/** With one more page: a version that older restore points hold, too, stays one. */
export function withVersions({ versions, absent }: History, page: Answer<'blobHistory'>): History {
  const merged = new Map(versions.map((version) => [version.etag, version]));
  for (const version of page.versions) {
    const known = merged.get(version.etag);
    const restorePoints = [...(known?.restorePoints ?? []), ...version.restorePoints];
    merged.set(version.etag, { ...version, ...known, restorePoints });
  }
  return { versions: [...merged.values()], absent: absent + page.absent, next: page.next };
}

/** `in 3 restore points: 29 Nov, 28 Nov, 27 Nov`, or `in 15 restore points: 12 Nov to 26 Nov`. */
export function heldIn(points: readonly PointTime[], day: (time: string) => string): string {
  const days = points.map(({ time }) => day(time));
  const which = points.length <= 3 ? days.join(', ') : `${days.at(-1)} to ${days[0]}`;
  return `in ${counted(points.length, 'restore point')}: ${which}`;
}

/** How this version differs in size from the next older one: `+4 kB`, or nothing. */
export function sizeChange(version: Version, older: Version | undefined): number | null {
  return older === undefined || older.size === version.size ? null : version.size - older.size;
}

/** What to say of a history without a version. */
export function noVersions({ absent, next }: History): string {
  if (next !== null) return `None of the ${counted(absent, 'restore point')} that were searched holds this blob.`;
  return absent === 0
    ? 'This job has no restore point yet.'
    : `No restore point of this job holds a blob of this name. ${counted(absent, 'restore point')} searched.`;
}
