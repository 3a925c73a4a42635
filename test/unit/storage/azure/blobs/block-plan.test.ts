import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planBlocks } from '#storage/azure/blobs/block-plan.ts';

const MIB = 1024 * 1024;
/** What the service can hold in blocks of its largest size. */
const LARGEST_BLOB = 50_000 * 4000 * MIB;

describe('planBlocks', () => {
  it('planBlocks covers every byte once, in blocks that the service accepts', () => {
    const size = fc.oneof(fc.integer({ min: 1, max: 64 * MIB }), fc.integer({ min: 1, max: LARGEST_BLOB }));
    fc.assert(
      fc.property(size, (bytes) => {
        const blocks = planBlocks(bytes, 'source');
        let end = 0;
        for (const { offset, count } of blocks) {
          if (offset !== end || count < 1 || count > 4000 * MIB) return false;
          end += count;
        }
        return end === bytes && blocks.length <= 50_000;
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [1, 1, 1],
    [8 * MIB, 1, 8 * MIB],
    [8 * MIB + 1, 2, 8 * MIB],
    [400 * MIB, 8, 50 * MIB],
    [10_000 * MIB, 100, 100 * MIB],
    [5_000_000 * MIB, 50_000, 100 * MIB],
    [10_000_000 * MIB, 50_000, 200 * MIB],
  ])('planBlocks cuts %d bytes into %d blocks of %d', (size, blocks, first) => {
    const plan = planBlocks(size, 'source');
    expect([plan.length, plan[0]?.count]).toEqual([blocks, first]);
  });

  it('planBlocks gives distinct ids of one length', () => {
    const ids = planBlocks(5_000_000 * MIB, 'source').map(({ id }) => id);
    expect(new Set(ids.map((id) => id.length)).size).toBe(1);
    expect(new Set(ids).size).toBe(ids.length);
    expect(Buffer.from(ids[0]!, 'base64').length).toBeLessThanOrEqual(64);
  });

  it('planBlocks gives equal ids for the same source version, and others for another version', () => {
    const ids = (source: string) => planBlocks(20 * MIB, source).map(({ id }) => id);
    expect(ids('s etag-1')).toEqual(ids('s etag-1'));
    expect(ids('s etag-2').filter((id) => ids('s etag-1').includes(id))).toEqual([]);
  });
});
