import type { Outcome, ProvedContent } from '../run/outcome.ts';

/** What a line of a deep verification says about its blob to later ones. */
export function provedBy(line: Outcome, verification: { run: string; at: string }): ProvedContent | undefined {
  if (line.proved) return line.proved;
  const isSound = line.status === 'unchanged' || line.code === 'content-unproved';
  return isSound && line.sha256 !== undefined ? { sha256: line.sha256, ...verification } : undefined;
}

/**
 * Carries what is on record on to a later verification, whatever became of the blob there: a blob that is missing now
 * may be restored. Sound content with another SHA-256 was compared with the source, and replaces what is on record.
 */
export function withProved(outcome: Outcome, proved: ProvedContent | undefined): Outcome {
  const isReplaced =
    outcome.status === 'unchanged' && outcome.sha256 !== undefined && outcome.sha256 !== proved?.sha256;
  return proved === undefined || isReplaced ? outcome : { ...outcome, proved };
}
