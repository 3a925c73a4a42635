import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claim, ended, isReceipt, type Receipt, type SourceVersion, standingOf } from '#domain/archive/receipt.ts';

const source: SourceVersion = {
  account: 'https://acct.blob.core.windows.net',
  container: 'incoming',
  name: 'a/b.txt',
  etag: '0x8DD',
  modified: '2026-11-21T10:00:00.000Z',
  size: 5,
};
const noon = new Date('2026-11-21T12:00:00.000Z');
const later = (ms: number) => new Date(noon.getTime() + ms);
const claimed = (before?: Receipt) => claim(before, 'uploads', source, 'one', noon, 60_000);

describe('whether a version may be worked on', () => {
  it('by anybody, where nobody has claimed it, or the last try failed, or it was missed and is there after all', () => {
    expect(standingOf(undefined, 'one', noon)).toEqual({ is: 'free' });
    const problem = { code: 'throttled' } as const;
    for (const state of ['failed', 'missed'] as const) {
      expect(standingOf(ended(claimed(), state, noon, { problem }), 'two', noon), state).toEqual({ is: 'free' });
    }
  });

  it('by nobody once it is done', () => {
    expect(standingOf(ended(claimed(), 'done', noon, {}), 'one', later(1e9))).toEqual({ is: 'ended' });
  });

  it('F6: by its owner at any time, by others once the claim has expired', () => {
    expect(standingOf(claimed(), 'one', later(1))).toEqual({ is: 'free' });
    expect(standingOf(claimed(), 'two', later(59_000))).toEqual({ is: 'held', forMs: 1_000 });
    expect(standingOf(claimed(), 'two', later(60_000))).toEqual({ is: 'free' });
  });

  it('I4: by others where the claim is from a future that no clock can have seen', () => {
    expect(standingOf(claimed(), 'two', later(-30 * 60_000))).toMatchObject({ is: 'held' });
    expect(standingOf(claimed(), 'two', later(-2 * 3_600_000))).toEqual({ is: 'free' });
  });

  it('I4: no claim holds for ever, whatever the clocks', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: 1, max: 86_400_000 }), (apart, claimMs) => {
        const receipt = claim(undefined, 'uploads', source, 'one', later(apart), claimMs);
        const standing = standingOf(receipt, 'two', noon);
        return standing.is === 'free' || (standing.is === 'held' && standing.forMs <= claimMs + 3_600_000);
      }),
    );
  });
});

it('a claim that is taken over goes on counting, and knows of the copy under way', () => {
  const copy = { id: 'c1', startedAt: noon.toISOString(), tries: 1 };
  const next = claim({ ...claimed(), copy }, 'uploads', source, 'two', later(90_000), 60_000);
  expect(next).toMatchObject({
    owner: 'two',
    tries: 2,
    copy,
    state: 'claimed',
    expiresAt: later(150_000).toISOString(),
  });
});

it('an ended receipt says when and how long it took, and no longer of a copy under way', () => {
  const copy = { id: 'c1', startedAt: noon.toISOString(), tries: 1 };
  const archived = { account: 'https://v', container: 'c', name: 'a', etag: '0x1' };
  const end = ended({ ...claimed(), copy }, 'done', later(2_500), { archived });
  expect(end).toMatchObject({ state: 'done', seconds: 2.5, finishedAt: later(2_500).toISOString(), archived });
  expect(end).not.toHaveProperty('copy');
});

describe('what lies where a receipt should', () => {
  it('is one only if it is of this version', () => {
    expect(isReceipt(claimed(), 'a/b.txt', '0x8DD')).toBe(true);
    expect(isReceipt(claimed(), 'a/b.txt', '0x8DE')).toBe(false);
    expect(isReceipt(claimed(), 'a/c.txt', '0x8DD')).toBe(false);
  });

  it('is none where anything that decides is missing', () => {
    for (const key of ['format', 'source', 'state', 'owner', 'claimedAt', 'expiresAt', 'tries'] as const) {
      const { [key]: _, ...rest } = claimed();
      expect(isReceipt(rest, 'a/b.txt', '0x8DD'), key).toBe(false);
    }
    expect(isReceipt({ ...claimed(), state: 'odd' }, 'a/b.txt', '0x8DD')).toBe(false);
    expect(isReceipt(null, 'a/b.txt', '0x8DD')).toBe(false);
  });
});
