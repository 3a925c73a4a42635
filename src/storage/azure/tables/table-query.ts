import type { KeyRange } from '#domain/tables/table-key.ts';
import { StorageError } from '../../storage-error.ts';

/**
 * The filters of the queries, one after another, that read a range. The service answers each from its index, without looking at
 * anything else: a filter that says `or` about keys it answers by reading the whole table.
 */
export function filtersOf({ after, upTo }: KeyRange, since?: string): string[] {
  const time = since === undefined ? [] : [`Timestamp ge datetime${quoted(since)}`];
  return stretches(after, upTo).map((conditions) => [...conditions, ...time].join(' and '));
}

/** Each stretch by the conditions that hold in it. */
function stretches(after: KeyRange['after'], upTo: KeyRange['upTo']): string[][] {
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

/** Where reading a range goes on: which of its queries, and from where in it, as the service told. */
export interface QueryPosition {
  query: number;
  partition?: string;
  row?: string;
}

export function cursorOf({ query, partition, row }: QueryPosition): string {
  return Buffer.from(JSON.stringify([query, partition ?? null, row ?? null])).toString('base64url');
}

/** Throws `StorageError` (`invalid`) for what `cursorOf` did not make for as many queries. */
export function positionOf(cursor: string, queries: number): QueryPosition {
  try {
    const [query, partition, row] = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    const isText = (value: unknown) => value === null || typeof value === 'string';
    if (Number.isInteger(query) && query >= 0 && query < queries && isText(partition) && isText(row)) {
      return { query, ...(partition === null ? {} : { partition }), ...(row === null ? {} : { row }) };
    }
  } catch {
    // Told below.
  }
  throw new StorageError('invalid', 'This is not a cursor that a page of these entities gave out.');
}

/** As a literal of OData. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Percent-encoded. Throws `StorageError` (`invalid`) for half a character, which no address can carry. */
export function inAddress(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    throw new StorageError(
      'invalid',
      'A key holds half a character (an unpaired surrogate), which no address can carry.',
    );
  }
}
