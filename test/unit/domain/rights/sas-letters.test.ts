import { expect, test } from 'vitest';
import { lettersMissing, lettersOf } from '#domain/rights/sas-letters.ts';

test.each([
  ['ss=bt&srt=sco&sp=rwlacut', 'write-tags', []],
  ['ss=bt&srt=sco&sp=rl', 'read-tags', ['sp=t']],
  ['ss=b&srt=sco&sp=rl', 'read-tables', ['ss=t']],
  ['ss=b&srt=co&sp=r', 'list-containers', ['srt=s', 'sp=l']],
  ['ss=bt&srt=sco&sp=rwl', 'write-catalog', ['sp=au']],
  // Of one container, and with a stored access policy.
  ['sr=c&sp=r', 'list-blobs', ['sp=l']],
  ['sr=c&si=policy', 'list-blobs', []],
] as const)('the signature %s for %s lacks %j', (sas, right, lacks) => {
  expect(lettersMissing(`sv=2026-02-06&${sas}&sig=x`, right)).toEqual(lacks);
});

test('what a right needs is named in the words of a signature', () => {
  expect(lettersOf('write-catalog')).toBe('ss=t, srt=o, sp=wau');
});
