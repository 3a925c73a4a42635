import { chmodSync, lstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf, HostError } from '../host-error.ts';
import { diskError } from './disk-error.ts';

/** Permissions of the group and of all others. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;
const ALL_WRITE = 0o002;
/** In a folder with this bit, such as /tmp, only its owner may rename an entry. */
const STICKY = 0o1000;
const OWNER_ONLY = 0o700;

/**
 * Makes the data directory one that only this user can read and write. It holds the keys and the content of the
 * embedded Azurite, and a journal that the host believes. Throws if another user may have changed what it holds.
 */
export function prepareDataDirectory(directory: string): void {
  try {
    makeDirectory(directory);
    checkOwner(directory);
  } catch (error) {
    throw error instanceof HostError ? error : diskError(`Cannot use the data directory ${directory}`, error);
  }
}

/** Not with `recursive`, which never returns where the system creates nothing, as in /proc. */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: OWNER_ONLY });
  } catch (error) {
    // Another process may have made it at the same time.
    if (codeOf(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}

function checkOwner(directory: string): void {
  const me = process.getuid?.();
  // On Windows, access follows from the folder above.
  if (me === undefined) return;
  const path = realpathSync(directory);
  const { uid, mode } = statSync(path);
  if (uid !== me) throw refused(directory, `it belongs to another user (${uid})`);
  const above = foldersAbove(path).find(isOpenToAll);
  if (above !== undefined) throw refused(directory, `other users can replace it, because they can write to ${above}`);
  if ((mode & OTHERS) === 0) return;
  const entries = readdirSync(path, { recursive: true, encoding: 'utf8' });
  if ((mode & OTHERS_WRITE) !== 0 && entries.length > 0) {
    throw refused(directory, 'other users can write to it, and it is not empty');
  }
  const foreign = entries.find((name) => isForeign(join(path, name), me));
  if (foreign !== undefined) throw refused(directory, `other users can write to ${foreign} in it`);
  chmodSync(path, OWNER_ONLY);
}

function isForeign(path: string, me: number): boolean {
  const entry = lstatSync(path);
  // The permissions of a link say nothing.
  return entry.uid !== me || (!entry.isSymbolicLink() && (entry.mode & OTHERS_WRITE) !== 0);
}

function isOpenToAll(folder: string): boolean {
  const { mode } = statSync(folder);
  return (mode & ALL_WRITE) !== 0 && (mode & STICKY) === 0;
}

function foldersAbove(directory: string): string[] {
  const above = dirname(directory);
  return above === directory ? [] : [above, ...foldersAbove(above)];
}

function refused(directory: string, why: string): HostError {
  return new HostError(
    `The data directory ${directory} is not safe: ${why}. The host believes what it holds. Choose another directory ` +
      'with --data, or check it, and make it and all in it belong to you alone: chown, chmod go-rwx',
  );
}
