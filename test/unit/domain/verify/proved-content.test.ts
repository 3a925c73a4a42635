import { describe, expect, it } from 'vitest';
import type { Outcome } from '#domain/run/outcome.ts';
import { provedBy, withProved } from '#domain/verify/proved-content.ts';

const BY = { run: 'nightly-20260502T000000Z-vvvvvv', at: '2026-05-02T00:01:00.000Z' };
const EARLIER = { sha256: 'aa', run: 'nightly-20260501T000000Z-uuuuuu', at: '2026-05-01T00:01:00.000Z' };

const line = (status: Outcome['status'], more: Partial<Outcome> = {}) =>
  ({ name: 'a.txt', etag: '0x1', modified: '2026-05-01T10:00:00.000Z', size: 10, status, ...more }) as Outcome;

describe('I6: what a line of a deep verification says to later ones', () => {
  it.each<[string, Outcome, ReturnType<typeof provedBy>]>([
    ['sound content is on record from then on', line('unchanged', { sha256: 'bb' }), { sha256: 'bb', ...BY }],
    [
      'content that nothing proves is on record, too: it must not change later',
      line('failed', { code: 'content-unproved', sha256: 'bb' }),
      { sha256: 'bb', ...BY },
    ],
    ['damaged content is not', line('failed', { code: 'content-mismatch', sha256: 'bb' }), undefined],
    ['content that was not read is not', line('unchanged'), undefined],
    ['the first verification stays on record', line('unchanged', { sha256: 'bb', proved: EARLIER }), EARLIER],
    ['so it does when the content is missing', line('failed', { code: 'content-missing', proved: EARLIER }), EARLIER],
  ])('%s', (_what, of, proved) => {
    expect(provedBy(of, BY)).toEqual(proved);
  });
});

describe('I6: a later verification', () => {
  it.each<[string, Outcome, boolean]>([
    ['carries on what is on record beside sound content that agrees', line('unchanged', { sha256: 'aa' }), true],
    ['drops it for sound content with another SHA-256', line('unchanged', { sha256: 'bb' }), false],
    ['carries it on past content that it did not read', line('unchanged'), true],
    ['carries it on past damaged content', line('failed', { code: 'content-mismatch', sha256: 'bb' }), true],
    ['carries it on past missing content', line('failed', { code: 'content-missing' }), true],
  ])('%s', (_what, of, isCarried) => {
    expect(withProved(of, EARLIER)).toStrictEqual(isCarried ? { ...of, proved: EARLIER } : of);
  });

  it('adds nothing where nothing is on record', () => {
    for (const of of [line('unchanged', { sha256: 'bb' }), line('failed', { code: 'content-missing' })]) {
      expect(withProved(of, undefined)).toStrictEqual(of);
    }
  });
});
