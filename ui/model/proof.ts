import type { Answer } from './answer.ts';
import { byWords } from './notes.ts';
import { counted, number } from './quantity.ts';

export type Proof = Answer<'showProof'>;
type Verification = Proof['verifications'][number];

/** What the document says as a whole. */
export type Verdict = 'proved' | 'listed' | 'not-proved' | 'damaged' | 'altered';

/**
 * The worst counts: an altered record or summary makes all else worthless, and the newest verification of each kind
 * that found damage outweighs those that did not.
 */
export function verdictOf({ summary, chain, verifications }: Proof): Verdict {
  if (summary.isAsRecorded === false || chain.problem !== null) return 'altered';
  const newest = newestOfEachKind(verifications);
  if (newest.some(({ summary: { isAsRecorded } }) => isAsRecorded === false)) return 'altered';
  if (newest.some(({ isSound }) => !isSound)) return 'damaged';
  if (newest.some(({ kind }) => kind !== 'quick')) return 'proved';
  return newest.length > 0 ? 'listed' : 'not-proved';
}

function newestOfEachKind(verifications: readonly Verification[]): Verification[] {
  const kinds = new Map<string, Verification>();
  for (const each of verifications) if (!kinds.has(each.kind)) kinds.set(each.kind, each);
  return [...kinds.values()];
}

/** The verdict in a sentence. It says no more than was checked. */
export function verdictWords(proof: Proof): string {
  const newest = newestOfEachKind(proof.verifications);
  switch (verdictOf(proof)) {
    case 'altered':
      return 'A record or summary is not as it was written. Do not rely on this document before you know why.';
    case 'damaged': {
      const failed = newest.reduce((sum, each) => sum + each.failed, 0);
      return `${counted(failed, 'item')} ${failed === 1 ? 'is' : 'are'} not as backed up, or could not be checked.`;
    }
    case 'proved':
      return `${newest
        .filter(({ kind }) => kind !== 'quick')
        .map(readWords)
        .join('; ')}. Nothing was wrong.`;
    case 'listed':
      return 'All content is listed in the vault as recorded. Its bytes have not been read: run a deep verification.';
    case 'not-proved':
      return 'Nothing has been verified yet.';
  }
}

function readWords({ kind, items, read }: Verification): string {
  if (kind === 'drill') return `${number(read)} restored as a drill and compared`;
  return `${number(read)} of ${counted(items, 'item')} read byte by byte and compared`;
}

/** What a verification did, when and by whom: the cells of a row. */
export function verificationRow(each: Verification): { what: string; result: string; by: string } {
  const { kind, portion, items, read, failed, isSound } = each;
  const what = `${kind}${portion === null ? '' : ` ${portion}`}`;
  const checked = kind === 'quick' ? `${number(items)} listed` : `${number(read)} of ${number(items)} read`;
  const result = isSound ? `${checked}, nothing wrong` : `${checked}, ${number(failed)} wrong or not checked`;
  return { what, result, by: byWords(each.by) };
}

/** The name of the file for an auditor. */
export function fileNameOf({ restorePoint: { id } }: Proof): string {
  return `proof-${id}.json`;
}
