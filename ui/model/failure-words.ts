/** Why a blob would not be restored, in a few words: the codes that a preview gives. */
const WORDS: Readonly<Record<string, string>> = {
  'container-not-held': 'not in this restore point',
  'content-archived': 'in the archive tier of the vault',
  'content-mismatch': 'not in the vault as it was backed up',
  'content-missing': 'no longer in the vault',
  damaged: 'a part of the restore point is damaged or missing',
  'target-exists': 'a blob of this name is there',
};

export const FAILURE_CODES = Object.keys(WORDS);

/** What is not known is shown by its code. */
export function failureWords(code: string): string {
  return WORDS[code] ?? code;
}
