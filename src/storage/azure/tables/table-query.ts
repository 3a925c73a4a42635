import type { KeyRange } from '#domain/tables/table-key.ts';
import { StorageError } from '../../storage-error.ts';

/**
 * The filters of the queries that together read a key range. The service answers each one from its index alone. For a
 * filter with `or` on keys, it would read the whole table.
 */
export function filtersOf({ after, upTo }: KeyRange, since?: string): string[] {
  const time = since === undefined ? [] : [`Timestamp ge datetime${quoted(since)}`];
  return conditionsOf(after, upTo).map((conditions) => [...conditions, ...time].join(' and '));
}

/** The conditions of each query. */
function conditionsOf(after: KeyRange['after'], upTo: KeyRange['upTo']): string[][] {
  const behind = after && quoted(after.partition);
  const last = upTo && quoted(upTo.partition);
  const afterRow = after?.row === undefined ? [] : [`RowKey gt ${quoted(after.row)}`];
  const upToRow = upTo?.row === undefined ? [] : [`RowKey le ${quoted(upTo.row)}`];
  if (behind !== undefined && behind === last && afterRow.length > 0) {
    return [[`PartitionKey eq ${behind}`, ...afterRow, ...upToRow]];
  }
  const between = [
    ...(behind === undefined ? [] : [`PartitionKey gt ${behind}`]),
    ...(last === undefined ? [] : [`PartitionKey ${upToRow.length > 0 ? 'lt' : 'le'} ${last}`]),
  ];
  return [
    ...(afterRow.length > 0 ? [[`PartitionKey eq ${behind}`, ...afterRow]] : []),
    between,
    ...(upToRow.length > 0 && behind !== last ? [[`PartitionKey eq ${last}`, ...upToRow]] : []),
  ];
}

/** Where to continue reading a key range: the number of the query, and the service's continuation in it. */
export interface QueryPosition {
  query: number;
  partition?: string;
  row?: string;
}

export function cursorOf({ query, partition, row }: QueryPosition): string {
  return Buffer.from(JSON.stringify([query, partition ?? null, row ?? null])).toString('base64url');
}

/** Throws `StorageError` (`invalid`) for a cursor that `cursorOf` did not create for this number of queries. */
export function positionOf(cursor: string, queries: number): QueryPosition {
  try {
    const [query, partition, row] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const isText = (value: unknown) => value === null || typeof value === 'string';
    if (Number.isInteger(query) && query >= 0 && query < queries && isText(partition) && isText(row)) {
      return { query, ...(partition === null ? {} : { partition }), ...(row === null ? {} : { row }) };
    }
  } catch {
    // The error follows below.
  }
  throw new StorageError('invalid', 'This cursor is not from a page of these entities.');
}

/** An OData literal. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Percent-encodes. Throws `StorageError` (`invalid`) for an unpaired surrogate, which a URL cannot contain. */
export function inAddress(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    throw new StorageError(
      'invalid',
      'A key contains an unpaired surrogate (half of a character), which a URL cannot contain.',
    );
  }
}
