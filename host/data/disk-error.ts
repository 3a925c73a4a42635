import { EXIT } from '../exit-codes.ts';
import { codeOf, HostError, messageOf } from '../host-error.ts';

const FULL = 'Free space on this disk';
const NOT_ALLOWED = 'Give this user the right to read and write there, or choose another directory with --data';
const READ_ONLY = 'Make it writable, or choose another directory with --data';

/** What happened, and what to do, by the code of the system. */
const CAUSES: Record<string, readonly [cause: string, remedy: string]> = {
  ENOSPC: ['the disk is full', FULL],
  EDQUOT: ["this user's disk quota is used up", FULL],
  EFBIG: ['the file may not grow any more', 'Raise the limit of this user for the size of files (ulimit -f)'],
  EACCES: ['this user may not read or write it', NOT_ALLOWED],
  EPERM: ['this user may not read or write it', NOT_ALLOWED],
  EROFS: ['the file system is read-only', READ_ONLY],
  ENOTDIR: ['a part of its path is no directory', 'Choose another directory with --data'],
  EISDIR: ['it is a directory', 'Move it away'],
  EIO: ['the disk failed', 'Check the disk, or choose another directory with --data'],
};

/** The same, for codes that say something of a path that was given, and elsewhere may be a mistake of the program. */
const CAUSES_OF_PATHS: typeof CAUSES = {
  EEXIST: ['it, or a part of its path, is not a directory', 'Choose another directory with --data'],
  ENOENT: [
    'it cannot be made there, or is a link to what does not exist, such as a disk that is not mounted',
    'Correct the path or mount the disk',
  ],
  ELOOP: ['its path has links in a circle', 'Choose another directory with --data'],
  ENAMETOOLONG: ['its path is too long', 'Choose another directory with --data'],
};

/** Whether this is a failure of the disk, and not of the program. */
export function isDiskFailure(error: unknown): boolean {
  return (codeOf(error) ?? '') in CAUSES;
}

/** `action`: what failed, as in "Cannot write FILE". */
export function diskError(action: string, error: unknown): HostError {
  const [cause, remedy] = { ...CAUSES_OF_PATHS, ...CAUSES }[codeOf(error) ?? ''] ?? [messageOf(error), 'Correct this'];
  const after = 'then start the host again. Nothing that it has confirmed is lost, and runs continue where they were';
  return new HostError(`${action}: ${cause}. ${remedy}, ${after}.`, EXIT.disk);
}
