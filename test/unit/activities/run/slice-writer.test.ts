import { expect, test } from 'vitest';
import type { RunContext } from '#activities/run/run-context.ts';
import { SliceWriter } from '#activities/run/slice-writer.ts';
import { heldAs } from '#domain/copying/held.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

test('I10: a slice of blobs whose metadata fills their entries ends long before its part is too large to be read', () => {
  const limits = { sliceBlobs: 50_000, sliceChunks: 8, scanMs: 60_000 };
  const deps = { limits, now: () => new Date(0), random: () => 'a' };
  const slice = new SliceWriter({ deps, tally: emptyTally('images', 'imagesbackup') } as unknown as RunContext, 0);
  // The longest metadata there is, in the longest text there is of it.
  const blob = blobState({ metadata: { strongroom_: '"'.repeat(8_180) } });
  let blobs = 0;
  for (; !slice.isFull() && blobs < 50_000; blobs++) {
    slice.list(1);
    slice.settle(heldAs(blob, 'unchanged', {}));
  }
  expect(blobs).toBeGreaterThan(4_000);
  expect(blobs).toBeLessThan(5_000);
});
