import { asBackedUp, type Outcome } from '#domain/run/outcome.ts';
import type { ProblemCode } from '#domain/run/problems.ts';

/** The outcome of an entry of a restore point that could not be restored or verified. */
export function failedEntry(entry: Outcome, code: ProblemCode, message?: string): Outcome {
  return { ...asBackedUp(entry), status: 'failed', code, ...(message !== undefined && { message }) };
}
