import { asBackedUp, type BlobEntry, type Failed } from './outcome.ts';
import type { ProblemCode } from './problems.ts';

/** The outcome of an entry of a restore point that could not be restored or verified. */
export function failedEntry(entry: BlobEntry, code: ProblemCode, message?: string): Failed {
  return { ...asBackedUp(entry), status: 'failed', code, ...(message !== undefined && { message }) };
}
