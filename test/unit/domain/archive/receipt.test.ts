import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claim,
  ended,
  isReceipt,
  isReceiptLine,
  lineOf,
  type Receipt,
  type SourceVersion,
  standingOf,
} from '#domain/archive/receipt.ts';

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
  it('by any owner, if it has no claim, if the last attempt failed, or if it was missed and exists now', () => {
    expect(standingOf(undefined, 'one', noon)).toEqual({ is: 'free' });
    const problem = { code: 'throttled' } as const;
    for (const state of ['failed', 'missed'] as const) {
      expect(standingOf(ended(claimed(), state, noon, { problem }), 'two', noon), state).toEqual({ is: 'free' });
    }
  });

  it('by no owner once it is done', () => {
    expect(standingOf(ended(claimed(), 'done', noon, {}), 'one', later(1e9))).toEqual({ is: 'ended' });
  });

  it('F6: by its owner at any time, by others once the claim has expired', () => {
    expect(standingOf(claimed(), 'one', later(1))).toEqual({ is: 'free' });
    expect(standingOf(claimed(), 'two', later(59_000))).toEqual({ is: 'held', forMs: 1_000 });
    expect(standingOf(claimed(), 'two', later(60_000))).toEqual({ is: 'free' });
  });

  it('I4: by others where the claim is from a future that no clock can have seen', () => {
    expect(standingOf(claimed(), 'two', later(-30 * 60_000))).toMatchObject({ is: 'held' });
    expect(standingOf(claimed(), 'two', later(-3_600_000))).toMatchObject({ is: 'held' });
    expect(standingOf(claimed(), 'two', later(-3_600_001))).toEqual({ is: 'free' });
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

it('a claim that is taken over continues its count, and names the copy in progress', () => {
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

it('an archived version took as long as its copy by the service, however many claims that outlived', () => {
  const copy = { id: 'c1', startedAt: later(-90_000).toISOString(), tries: 2 };
  expect(ended({ ...claimed(), copy }, 'done', later(10_000), {}).seconds).toBe(100);
});

describe('the line of a receipt in a listing', () => {
  it('says when a claim expires, and when a receipt has ended', () => {
    const { name, etag, modified } = source;
    expect(lineOf(claimed())).toEqual({ name, etag, modified, state: 'claimed', at: later(60_000).toISOString() });
    const failed = ended(claimed(), 'failed', later(5_000), {});
    expect(lineOf(failed)).toEqual({ name, etag, modified, state: 'failed', at: later(5_000).toISOString() });
  });

  it('I6: is ignored unless it says all that a listing shows', () => {
    const line = lineOf(claimed());
    expect(isReceiptLine(line)).toBe(true);
    for (const key of ['name', 'etag', 'state', 'at'] as const) {
      const { [key]: _, ...rest } = line;
      expect(isReceiptLine(rest), key).toBe(false);
    }
    expect(isReceiptLine(null)).toBe(false);
  });
});

describe('an object in the place of a receipt', () => {
  const at = noon.toISOString();
  const receipt: Receipt = {
    ...{ format: 1, rule: 'uploads', source, state: 'claimed', owner: 'one', claimedAt: at, expiresAt: at, tries: 1 },
  };
  const isItsReceipt = (value: unknown) => isReceipt(value, 'a/b.txt', '0x8DD');

  it('is the receipt of this version as it was claimed', () => {
    expect(isItsReceipt(claimed())).toBe(true);
  });

  it.each(['claimed', 'failed', 'done', 'missed'] as const)('is a receipt of this version where it is %s', (state) => {
    expect(isItsReceipt({ ...receipt, state })).toBe(true);
  });

  it.each<[string, unknown]>([
    ['null', null],
    ['a receipt of another blob', { ...receipt, source: { ...source, name: 'a/c.txt' } }],
    ['a receipt of another version', { ...receipt, source: { ...source, etag: '0x8DE' } }],
    ['a receipt in a later format', { ...receipt, format: 2 }],
    ['a receipt in a state that is none', { ...receipt, state: 'odd' }],
    ['a receipt with tries that cannot be counted', { ...receipt, tries: 1.5 }],
    ['a claim at a time that is none', { ...receipt, claimedAt: 'today' }],
    ['a claim until a time that is none', { ...receipt, expiresAt: 'tomorrow' }],
    ...(['format', 'source', 'state', 'owner', 'claimedAt', 'expiresAt', 'tries'] as const).map(
      (key): [string, unknown] => [`a receipt without ${key}`, { ...receipt, [key]: undefined }],
    ),
  ])('I6: %s is none', (_, value) => {
    expect(isItsReceipt(value)).toBe(false);
  });
});
