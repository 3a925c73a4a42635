import type { ProblemCode } from '#domain/run/problems.ts';
import type { StorageError } from '#storage/storage-error.ts';
import { problemCodeOf } from './problem-code.ts';

/** The code in the terms of a restore: it reads the vault, and writes to the target. */
export function restoreProblemCode(error: StorageError): ProblemCode {
  if (error.kind === 'archived') return 'destination-archived';
  const code = problemCodeOf(error, 'destination');
  if (code === 'source-changing') return 'content-missing';
  if (code === 'destination-changing') return 'target-changing';
  if (code === 'access-denied-source') return 'access-denied-vault';
  if (code === 'access-denied-destination') return 'access-denied-target';
  return code;
}
