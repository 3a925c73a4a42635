import type { Right } from './right.ts';

/** What an account SAS needs for a right: services (ss), resource types (srt) and permissions (sp). */
const LETTERS: Record<Exclude<Right, 'sign-copies'>, { ss: string; srt: string; sp: string }> = {
  'list-containers': { ss: 'b', srt: 's', sp: 'l' },
  'list-blobs': { ss: 'b', srt: 'c', sp: 'l' },
  'read-blobs': { ss: 'b', srt: 'o', sp: 'r' },
  'read-tags': { ss: 'b', srt: 'c', sp: 'lt' },
  'list-tables': { ss: 't', srt: 'c', sp: 'l' },
  'read-tables': { ss: 't', srt: 'o', sp: 'r' },
  'create-containers': { ss: 'b', srt: 'c', sp: 'w' },
  'write-blobs': { ss: 'b', srt: 'o', sp: 'w' },
  'write-tags': { ss: 'b', srt: 'o', sp: 't' },
  'write-catalog': { ss: 't', srt: 'o', sp: 'wau' },
  'delete-blobs': { ss: 'b', srt: 'o', sp: 'd' },
  'soft-delete': { ss: 'b', srt: 's', sp: 'r' },
  'read-queue': { ss: 'q', srt: 'o', sp: 'rp' },
};

/** What a signature lacks for a right, such as `sp=t`; empty if it shows nothing that it lacks. */
export function lettersMissing(sas: string, right: Exclude<Right, 'sign-copies'>): string[] {
  const query = new URLSearchParams(sas);
  return Object.entries(LETTERS[right]).flatMap(([parameter, needed]) => {
    const has = query.get(parameter);
    // A signature of one container has neither ss nor srt, and one with a stored access policy need not have sp.
    if (has === null) return [];
    const missing = [...needed].filter((letter) => !has.includes(letter)).join('');
    return missing === '' ? [] : [`${parameter}=${missing}`];
  });
}

/** What a signature must have for a right, such as `ss=b, srt=o, sp=t`. */
export function lettersOf(right: Exclude<Right, 'sign-copies'>): string {
  return Object.entries(LETTERS[right])
    .map(([parameter, letters]) => `${parameter}=${letters}`)
    .join(', ');
}
