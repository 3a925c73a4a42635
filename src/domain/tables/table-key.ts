import { createHash } from 'node:crypto';

/** The key of an entity. Within a table no two entities have the same. */
export interface EntityKey {
  partition: string;
  row: string;
}

/**
 * A place in the order of keys, of which nothing need lie there: just behind this key, or, without a row, behind the last of the
 * partition.
 */
export interface KeyBound {
  partition: string;
  row?: string;
}

/**
 * A stretch of a table: every key behind `after`, up to and including `upTo`. An end that is absent is the table's. What lies in it is
 * told by the service's own comparisons alone, so that stretches which follow each other leave nothing out, whatever the order is.
 */
export interface KeyRange {
  after?: KeyBound;
  upTo?: KeyBound;
}

/**
 * A bound in few characters, to be told from others: the same for the same bound only. Keys may have a thousand characters, and what
 * carries this has room for few.
 */
export function boundId(bound: KeyBound | undefined): string {
  if (bound === undefined) return '';
  const { partition, row } = bound;
  const text = JSON.stringify(row === undefined ? [partition] : [partition, row]);
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

/** For people, and one text for each key: keys hold no slash. */
export function nameOfKey({ partition, row }: EntityKey): string {
  return `${partition}/${row}`;
}

/** What `nameOfKey` made the name of. */
export function keyOfName(name: string): EntityKey {
  const slash = name.indexOf('/');
  return { partition: name.slice(0, slash), row: name.slice(slash + 1) };
}

/** For people: `all keys`, or where a stretch begins and ends. */
export function nameOfRange({ after, upTo }: KeyRange): string {
  const place = ({ partition, row }: KeyBound) =>
    row === undefined ? `${partition}/…` : nameOfKey({ partition, row });
  if (!after && !upTo) return 'all keys';
  return [...(after ? [`after ${place(after)}`] : []), ...(upTo ? [`up to ${place(upTo)}`] : [])].join(' ');
}
