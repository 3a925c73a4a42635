import { describe, expect, it } from 'vitest';
import {
  groupsOf,
  markOfReceipt,
  type Poison,
  poisonWords,
  receiptWords,
  triggerWords,
} from '../../../ui/model/archives.ts';

const upload = (id: string, code: string): Poison => ({
  ...{ id, container: 'incoming', name: id, etag: null, since: '', at: '', times: 1 },
  ...{ code, message: '', hint: `mend ${code}`, state: 'open', settledAt: null, settlement: null },
});
const reconcile = { schedule: '0 0 * * * *', words: 'every hour', next: [] };
const receipts = { done: 5020, claimed: 0, failed: 1, missed: 2, settled: 1, isComplete: true, newest: null };

describe('an archive rule', () => {
  it('groups what failed permanently by code, the most frequent first', () => {
    const groups = groupsOf([
      upload('1', 'unsupported-name'),
      upload('2', 'access-denied'),
      upload('3', 'access-denied'),
    ]);
    expect(groups.map(({ code, hint, uploads }) => [code, hint, uploads.map(({ id }) => id)])).toEqual([
      ['access-denied', 'mend access-denied', ['2', '3']],
      ['unsupported-name', 'mend unsupported-name', ['1']],
    ]);
  });

  it.each([
    [null, 'a reconciliation every hour'],
    [{ queue: 'uploads', queueAccount: 'X' }, 'messages of the queue uploads and a reconciliation every hour'],
    [{ blobTrigger: 'scan' as const, queueAccount: 'X' }, 'scans of the container and a reconciliation every hour'],
  ])('says what makes it look', (events, words) => expect(triggerWords({ events, reconcile })).toBe(words));

  it.each([
    ['done', 'archived'],
    ['missed', 'missed'],
    ['of a later version', 'of a later version'],
  ])('says of a receipt that is %s: %s', (state, word) => expect(markOfReceipt(state).word).toBe(word));

  it('counts, and says when it has not counted all', () => {
    expect(receiptWords({ receipts })).toBe('5,020 archived · 1 failed · 2 missed · 1 settled');
    expect(receiptWords({ receipts: { ...receipts, isComplete: false } })).toContain('at least 5,020');
    const poison = { open: 3, oldest: null, codes: {}, isComplete: true };
    expect(poisonWords({ poison })).toBe('3 uploads failed permanently');
    expect(poisonWords({ poison: { ...poison, open: 0 } })).toBe('no upload failed permanently');
    expect(poisonWords({ poison: { ...poison, isComplete: false } })).toBe('at least 3 uploads failed permanently');
  });
});
