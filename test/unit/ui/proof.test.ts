import { describe, expect, it } from 'vitest';
import { type Proof, verdictOf, verdictWords, verificationRow } from '../../../ui/model/proof.ts';

const record = { number: 17, sha256: '5f70', at: '', previous: null };
const summary = { path: 'run.json', sha256: '0d5c', isAsRecorded: true as boolean | null };
const deep: Proof['verifications'][number] = {
  ...{ run: 'v', kind: 'deep', portion: '100%', startedAt: '', finishedAt: '', trigger: 'timer' },
  by: { name: null, via: 'schedule' },
  ...{ items: 5019, read: 5019, failed: 0, isSound: true, record, summary },
};
const quick = { ...deep, kind: 'quick' as const, portion: null, read: 0 };
const wrong = { ...deep, isSound: false, failed: 2 };

function proof(verifications: Proof['verifications'], part: Partial<Proof> = {}): Proof {
  const chain = { records: 17, head: null, problem: null };
  return { summary, chain, verifications, more: 0, ...part } as Proof;
}

describe('what a proof says as a whole', () => {
  it.each<[string, Proof, string]>([
    ['nothing', proof([]), 'not-proved'],
    ['only that content is listed', proof([quick]), 'listed'],
    ['that content was read', proof([quick, deep]), 'proved'],
    ['that the newest found damage', proof([wrong, deep]), 'damaged'],
    ['that damage was mended', proof([deep, wrong]), 'proved'],
    [
      'damage that a listing found after content was read',
      proof([{ ...quick, isSound: false, failed: 1 }, deep]),
      'damaged',
    ],
    ['that the summary was altered', proof([deep], { summary: { ...summary, isAsRecorded: false } }), 'altered'],
    [
      'that the summary of a verification was',
      proof([{ ...deep, summary: { ...summary, isAsRecorded: false } }]),
      'altered',
    ],
    [
      'that a record is missing',
      proof([deep], { chain: { records: 16, head: null, problem: 'record 12 is missing' } }),
      'altered',
    ],
    [
      'nothing of a record that is older than the chain',
      proof([deep], { summary: { ...summary, isAsRecorded: null } }),
      'proved',
    ],
  ])('is %s', (_, given, verdict) => expect(verdictOf(given)).toBe(verdict));

  it('claims no more than was done', () => {
    expect(verdictWords(proof([deep]))).toBe('5,019 of 5,019 items read byte by byte and compared. Nothing was wrong.');
    expect(verdictWords(proof([quick]))).toContain('Its bytes have not been read');
    expect(verdictWords(proof([wrong]))).toBe('2 items are not as backed up, or could not be checked.');
  });
});

it('a row says what a verification did, and by whom', () => {
  expect(verificationRow(deep)).toEqual({
    what: 'deep 100%',
    result: '5,019 of 5,019 read, nothing wrong',
    by: 'by schedule',
  });
  expect(verificationRow({ ...quick, failed: 1, isSound: false }).result).toBe('5,019 listed, 1 wrong or not checked');
});
