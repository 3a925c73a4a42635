import { createHash } from 'node:crypto';
import { foreignCursor } from './http-error.ts';

/** A cursor holds a position and a mark of the query that the position belongs to. */
const MARK_LENGTH = 10;

/** `query`: everything that decides what the positions mean. */
export function writeCursor(position: string, query: readonly unknown[]): string {
  return markOf(position, query) + Buffer.from(position).toString('base64url');
}

/** The position in a cursor. Throws 400 for a cursor of another query, and for any other text. */
export function readCursor(cursor: string, query: readonly unknown[]): string {
  const position = Buffer.from(cursor.slice(MARK_LENGTH), 'base64url').toString();
  if (writeCursor(position, query) !== cursor) throw foreignCursor();
  return position;
}

function markOf(position: string, query: readonly unknown[]): string {
  const hash = createHash('sha256').update(JSON.stringify([position, ...query]));
  return hash.digest('base64url').slice(0, MARK_LENGTH);
}
