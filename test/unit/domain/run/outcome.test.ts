import { describe, expect, it } from 'vitest';
import { isPending, outcomeOf } from '#domain/run/outcome.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

describe('an outcome', () => {
  it('of a plain block blob says no more than needed', () => {
    expect(outcomeOf(blobState(), 'unchanged', { vaultEtag: '0xV' })).toEqual({
      name: 'a.txt',
      status: 'unchanged',
      etag: '0x1',
      modified: '2026-05-01T10:00:00.000Z',
      size: 10,
      vaultEtag: '0xV',
    });
  });

  it('I7: names type, MD5, tags and the tier that was set', () => {
    const blob = blobState({ type: 'page', contentMd5: 'AA==', tags: { a: 'b' }, tier: 'P10' });
    expect(outcomeOf(blob, 'copied')).toMatchObject({ type: 'page', md5: 'AA==', tags: { a: 'b' }, tier: 'P10' });
    expect(outcomeOf(blobState({ tier: 'Hot', tierInferred: true }), 'copied')).not.toHaveProperty('tier');
  });

  it('is distinguished from a pending copy', () => {
    const planned = { from: blobState(), reason: 'new' as const };
    expect(isPending({ planned, copyId: 'c', startedAt: '', tries: 1 })).toBe(true);
    expect(isPending(outcomeOf(blobState(), 'failed', { code: 'throttled', source: blobState() }))).toBe(false);
  });
});

it.each(Object.entries(PROBLEMS))('the hint of %s is a sentence', (code, { hint }) => {
  expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect(hint).toMatch(/^(1\. )?[A-Z].*\.$/);
});
