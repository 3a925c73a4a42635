import type { z } from 'zod';
import type { restoreRequestSchema } from '#api/restore-request.ts';

/** The body of POST /api/restores. */
export type RestoreBody = z.input<typeof restoreRequestSchema>;

/** What is to be restored. The lists have at least one member. */
export type What =
  | { kind: 'names'; container: string; names: string[] }
  | { kind: 'folder'; container: string; prefix: string }
  | { kind: 'some'; containers: string[]; tables: string[] }
  | { kind: 'everything' };

/** Where to: the original place, or another one. `account` is empty for the account that was backed up. */
export interface Where {
  isOriginal: boolean;
  account: string;
  /** Templates; used for another place only. */
  container: string;
  prefix: string;
  table: string;
}

export interface RestoreChoice {
  point: string;
  what: What;
  where: Where;
  existing: 'fail' | 'skip' | 'if-different' | 'replace' | 'merge';
  /** `none` leaves out what is in the archive tier. */
  rehydrate: 'none' | 'standard' | 'high';
}

/** What a restore of this choice asks for. */
export function bodyOf({ point, what, where, existing, rehydrate }: RestoreChoice): RestoreBody {
  const target = targetOf(what, where);
  return {
    restorePoint: point,
    ...selectionOf(what),
    ...(Object.keys(target).length > 0 && { target }),
    existing,
    ...(rehydrate !== 'none' && { rehydrate }),
  };
}

function selectionOf(what: What): Partial<RestoreBody> {
  switch (what.kind) {
    case 'names':
      return { containers: [what.container], names: what.names };
    case 'folder':
      return { containers: [what.container], ...folderSelection(what.prefix) };
    case 'some':
      return {
        ...(what.containers.length > 0 && { containers: what.containers }),
        ...(what.tables.length > 0 && { tables: what.tables }),
      };
    case 'everything':
      return {};
  }
}

/** Another place needs the name of each kind that is restored: with one of them only, the API refuses the other. */
function targetOf(
  what: What,
  { isOriginal, account, container, prefix, table }: Where,
): RestoreBody['target'] & object {
  if (isOriginal) return account === '' ? {} : { account };
  const hasBlobs = what.kind !== 'some' || what.containers.length > 0;
  const hasTables = what.kind === 'everything' || (what.kind === 'some' && what.tables.length > 0);
  return {
    ...(account !== '' && { account }),
    ...(hasBlobs && { container }),
    ...(hasBlobs && prefix !== '' && { prefix }),
    ...(hasTables && { table }),
  };
}

/**
 * A folder, by its prefix. The API refuses a prefix that begins with a slash, as most are mistakes; a glob with the
 * same folder twice as alternatives says that this one is meant.
 */
function folderSelection(prefix: string): Partial<RestoreBody> {
  if (!prefix.startsWith('/')) return { prefix };
  const literal = prefix.replace(/[*?[{},]/g, (special) => `[${special}]`);
  return { include: [`{${literal}**,${literal}**}`] };
}

/** Whether the API can select this folder: a glob has at most 1,024 characters. */
export function isSelectable(prefix: string): boolean {
  return (folderSelection(prefix).include?.[0]?.length ?? 0) <= 1024;
}
