import type { Answer } from './answer.ts';
import { shownName } from './name.ts';
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

/** A search of the newest restore point, and then of all earlier ones, as far as it is. */
export interface Search {
  found: FoundName[];
  /** What has been searched as a whole. */
  done: 'nothing' | 'newest' | 'all';
  /** The newest restore point; undefined if it has nothing to search. */
  newest: PointTime | undefined;
  /** Where the search of earlier ones is, or has ended. */
  oldest: PointTime | undefined;
  /** How many parts of the manifest of a restore point have been searched, and where to continue. */
  current: { point: PointTime; scanned: number; total: number; cursor: string } | null;
  /** Earlier restore points that cannot be read in part. */
  unread: readonly string[];
}

export const NOT_SEARCHED: Search = {
  ...{ found: [], done: 'nothing', newest: undefined, oldest: undefined, current: null, unread: [] },
};

/** More names than this are no answer that a person reads. */
export const MOST_FOUND = 2000;

/** With one more page. A name that is known already is not added again, whatever version this restore point holds. */
export function withPage(search: Search, page: Answer<'searchNames'>): Search {
  const { restorePoint: point, items, parts, next, unread = [] } = page;
  const known = new Set(search.found.map(keyOf));
  const added = items
    .filter((item) => !known.has(keyOf(item)))
    .map(({ restorePoint, ...item }) => ({ ...item, point: restorePoint }));
  const isNewest = search.done === 'nothing';
  return {
    found: [...search.found, ...added],
    done: next !== null ? search.done : isNewest ? 'newest' : 'all',
    ...(isNewest ? { newest: point, oldest: search.oldest } : { newest: search.newest, oldest: point }),
    current: next === null ? null : { point, ...parts, cursor: next },
    unread: [...new Set([...search.unread, ...unread.map(({ id }) => id)])],
  };
}

/** Without the newest restore point, which does not have the container. */
export function withoutNewest(search: Search): Search {
  return search.done === 'nothing' ? { ...search, done: 'newest', newest: undefined, current: null } : search;
}

/** Names have no character that cannot be in a container's name, so the pair has one key. */
export function keyOf({ container, name }: { container: string; name: string }): string {
  return `${container}/${name}`;
}

export function isFull({ found }: Search): boolean {
  return found.length >= MOST_FOUND;
}

/** How far it is, in words: `12 found · searched 3 of 41 parts of the restore point of 29 Nov`. */
export function progressOf(search: Search, day: (time: string) => string): string {
  const { found, done, current } = search;
  const part =
    done === 'nothing' && current !== null
      ? `${number(current.scanned)} of ${counted(current.total, 'part')} of the restore point of ${day(current.point.time)}`
      : placesOf(search, day);
  return `${number(found.length)} found${isFull(search) ? ', and maybe more' : ''} · searched ${part}`;
}

function placesOf({ done, newest, oldest }: Search, day: (time: string) => string): string {
  const first = newest === undefined ? '' : `the restore point of ${day(newest.time)}`;
  if (oldest === undefined) return first;
  const reach = oldest.id === newest?.id ? '' : `, back to ${day(oldest.time)}`;
  if (done === 'all') return reach === '' ? `${first}, which is the only one` : `all restore points${reach}`;
  return first === '' ? `earlier restore points${reach}` : `${first} and earlier ones${reach}`;
}

/** What else to try. */
export type Offer = 'older' | 'all-containers' | 'other-job';

/** What to say when a search has ended without a name, and what to offer. */
export function nothingFound(
  { text, container }: Question,
  search: Search,
  { jobs, day }: { jobs: number; day: (time: string) => string },
): { words: string; offers: Offer[] } {
  const place = container === '' ? '' : ` of the container ${shownName(container)}`;
  const what = text === '' ? 'No name' : `No name${place} contains “${shownName(text)}”`;
  const places = placesOf(search, day);
  const where = places === '' ? '' : ` in ${places}`;
  const isOlder = search.done !== 'all';
  const offers: Offer[] = [
    ...(isOlder ? (['older'] as const) : []),
    ...(container !== '' ? (['all-containers'] as const) : []),
    ...(jobs > 1 ? (['other-job'] as const) : []),
  ];
  const advice = isOlder
    ? ' It may have been deleted before that: older restore points may hold it.'
    : ' No older restore point is left. What a backup has never seen, it cannot hold.';
  return { words: `${what}${where}.${advice}`, offers };
}
