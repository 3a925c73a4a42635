import type { Answer } from './answer.ts';
import { counted, number } from './quantity.ts';

/** What is looked for, as it is in the address. */
export interface Question {
  text: string;
  job: string;
  /** Only this container; all if empty. */
  container: string;
}

export interface PointTime {
  id: string;
  time: string;
}

/** A name, at the newest restore point of the search that holds it. */
export interface FoundName {
  container: string;
  name: string;
  size: number;
  modified: string;
  point: PointTime;
}

/** A search over one restore point after another, newest first, as far as it is. */
export interface Search {
  found: FoundName[];
  /** The restore points that have been searched as a whole, newest first. */
  done: PointTime[];
  /** The one that is being searched: how many parts of its manifest have been, and where to continue. */
  current: { point: PointTime; scanned: number; total: number; cursor: string } | null;
}

export const NOT_SEARCHED: Search = { found: [], done: [], current: null };

/** More names than this are no answer that a person reads. */
export const MOST_FOUND = 2000;

/** With one more page. A name that is known already is not added again, whatever version this restore point holds. */
export function withPage(search: Search, { restorePoint, items, parts, next }: Answer<'searchNames'>): Search {
  const known = new Set(search.found.map(keyOf));
  const added = items.filter((item) => !known.has(keyOf(item))).map((item) => ({ ...item, point: restorePoint }));
  return {
    found: [...search.found, ...added],
    done: next === null ? [...search.done, restorePoint] : search.done,
    current: next === null ? null : { point: restorePoint, ...parts, cursor: next },
  };
}

/** With a restore point that has nothing to search. */
export function withoutPoint(search: Search, point: PointTime): Search {
  return { ...search, done: [...search.done, point], current: null };
}

/** Names have no character that cannot be in a container's name, so the pair has one key. */
export function keyOf({ container, name }: { container: string; name: string }): string {
  return `${container}/${name}`;
}

export function isFull({ found }: Search): boolean {
  return found.length >= MOST_FOUND;
}

/** The next older restore point to look into. Restore points of one job, newest first. */
export function olderPoint(points: readonly PointTime[], { done, current }: Search): PointTime | undefined {
  const last = current?.point ?? done.at(-1);
  if (last === undefined) return points[0];
  return points.find(({ id, time }) => time < last.time || (time === last.time && id < last.id));
}

/** How far it is, in words: `12 found · looked through 3 of 41 parts of the restore point of 29 Nov`. */
export function progressOf(search: Search, day: (time: string) => string): string {
  const { found, done, current } = search;
  const looked = done.length === 0 ? '' : placesOf(done, day);
  const rest =
    current &&
    `${number(current.scanned)} of ${counted(current.total, 'part')} of the restore point of ${day(current.point.time)}`;
  const where = [looked, rest].filter(Boolean).join(' and ');
  return `${number(found.length)} found${isFull(search) ? ', and maybe more' : ''} · searched ${where}`;
}

function placesOf(points: readonly PointTime[], day: (time: string) => string): string {
  const [newest, oldest] = [points[0]!, points.at(-1)!];
  if (points.length === 1) return `the restore point of ${day(newest.time)}`;
  return `${counted(points.length, 'restore point')}, ${day(oldest.time)} to ${day(newest.time)}`;
}

/** What else to try. */
export type Offer = 'older' | 'all-containers' | 'other-job';

/**
 * What to say when a search has ended without a name, and what to offer. `isOlder` is undefined if it is not known
 * whether there are earlier restore points.
 */
export function nothingFound(
  { text, container }: Question,
  { done }: Search,
  { isOlder, jobs, day }: { isOlder: boolean | undefined; jobs: number; day: (time: string) => string },
): { words: string; offers: Offer[] } {
  const place = container === '' ? '' : ` of the container ${container}`;
  const what = text === '' ? 'No name' : `No name${place} contains “${text}”`;
  const where = done.length === 0 ? '' : ` in ${placesOf(done, day)}`;
  const offers: Offer[] = [
    ...(isOlder ? (['older'] as const) : []),
    ...(container !== '' ? (['all-containers'] as const) : []),
    ...(jobs > 1 ? (['other-job'] as const) : []),
  ];
  const advice =
    isOlder === undefined
      ? ''
      : isOlder
        ? ' It may have been deleted before that: older restore points may hold it.'
        : ' No older restore point is left. What a backup has never seen, it cannot hold.';
  return { words: `${what}${where}.${advice}`, offers };
}
