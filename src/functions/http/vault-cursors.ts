import { z } from 'zod';
import { readCursor, writeCursor } from './cursor.ts';
import { foreignCursor } from './http-error.ts';

/** Where the next page starts in the catalog of each vault that has more rows, by the alias of the vault. */
export type VaultCursors = Record<string, string>;

const schema = z.record(z.string(), z.string().min(1));

export function writeVaultCursors(
  pages: readonly { vault: string; next?: string | undefined }[],
  query: readonly unknown[],
): string | null {
  const more = pages.flatMap(({ vault, next }) => (next ? [[vault, next]] : []));
  return more.length > 0 ? writeCursor(JSON.stringify(Object.fromEntries(more)), query) : null;
}

/** Undefined without a cursor. Throws 400 for a foreign cursor. */
export function readVaultCursors(
  cursor: string | undefined,
  vaults: readonly string[],
  query: readonly unknown[],
): VaultCursors | undefined {
  if (cursor === undefined) return undefined;
  try {
    const value = schema.parse(JSON.parse(readCursor(cursor, query)));
    const names = Object.keys(value);
    if (names.length > 0 && names.every((vault) => vaults.includes(vault))) return value;
  } catch {
    // Any other text is a foreign cursor, too.
  }
  throw foreignCursor();
}
