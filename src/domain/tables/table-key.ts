import { createHash } from 'node:crypto';

/** The key of an entity. No two entities of a table have the same key. */
export interface EntityKey {
  partition: string;
  row: string;
}

/**
 * A place in the order of keys, whether or not an entity is there: right after this key, or, without a row, after the
 * last key of the partition.
 */
export interface KeyBound {
  partition: string;
  row?: string;
}

/**
 * A key range of a table: every key after `after`, up to and including `upTo`. An absent end is the end of the table.
 * The service's own comparisons decide what is in it, so that adjacent ranges leave nothing out in any order.
 */
export interface KeyRange {
  after?: KeyBound;
  upTo?: KeyBound;
}

/**
 * A short id of a bound, the same for equal bounds only. Keys may have a thousand characters, and metadata has room for
 * few.
 */
export function boundId(bound: KeyBound | undefined): string {
  if (bound === undefined) return '';
  const { partition, row } = bound;
  const text = JSON.stringify(row === undefined ? [partition] : [partition, row]);
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

/** Whether two key ranges have the same bounds. */
export function sameRange(one: KeyRange, other: KeyRange): boolean {
  return boundId(one.after) === boundId(other.after) && boundId(one.upTo) === boundId(other.upTo);
}

/** For people, and one text for each key: keys have no slash. */
export function nameOfKey({ partition, row }: EntityKey): string {
  return `${partition}/${row}`;
}

/** The key from which `nameOfKey` made the name. */
export function keyOfName(name: string): EntityKey {
  const slash = name.indexOf('/');
  return { partition: name.slice(0, slash), row: name.slice(slash + 1) };
}

/** For people: `all keys`, or the bounds of a key range. */
export function nameOfRange({ after, upTo }: KeyRange): string {
  const place = ({ partition, row }: KeyBound) =>
    row === undefined ? `${partition}/…` : nameOfKey({ partition, row });
  if (!after && !upTo) return 'all keys';
  return [...(after ? [`after ${place(after)}`] : []), ...(upTo ? [`up to ${place(upTo)}`] : [])].join(' ');
}
