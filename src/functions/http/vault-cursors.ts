import { z } from 'zod';
import { foreignCursor } from './http-error.ts';

/** Where the next page starts in the catalog of each vault that has more rows, by the alias of the vault. */
export type VaultCursors = Record<string, string>;

const schema = z.record(z.string(), z.string().min(1));

export function writeVaultCursors(pages: readonly { vault: string; next?: string | undefined }[]): string | null {
  const more = pages.flatMap(({ vault, next }) => (next ? [[vault, next]] : []));
  return more.length > 0 ? Buffer.from(JSON.stringify(Object.fromEntries(more))).toString('base64url') : null;
}

/** Undefined without a cursor. Throws 400 for a foreign cursor. */
export function readVaultCursors(cursor: string | undefined, vaults: readonly string[]): VaultCursors | undefined {
  if (cursor === undefined) return undefined;
  try {
    const value = schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    const names = Object.keys(value);
    if (names.length > 0 && names.every((vault) => vaults.includes(vault))) return value;
  } catch {
    // Any other text is a foreign cursor, too.
  }
  throw foreignCursor();
}
