import { expect, test } from 'vitest';
import type { RunContext } from '#activities/run/run-context.ts';
import { SliceWriter } from '#activities/run/slice-writer.ts';
import { outcomeOf } from '#domain/run/outcome.ts';
import { emptyTally } from '#domain/run/tally.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const MIB = 1024 * 1024;

/** A slice with the usual limits, and the largest text of what it has written. */
function slice() {
  const written: number[] = [];
  const limits = { sliceBlobs: 50_000, sliceChunks: 8, chunkBlobs: 2_500, chunkBytes: 2 ** 36, scanMs: 60_000 };
  const context = {
    container: 'data',
    tally: emptyTally('data', 'databackup'),
    deps: { limits, now: () => new Date(0), random: () => 'aaaaaa' },
    writePart: async (kind: string, _key: string, part: { items: number; finish(end: object): { body: Buffer } }) => {
      written.push(part.items);
      return { kind };
    },
  } as unknown as RunContext;
  return { writer: new SliceWriter(context, 0), written };
}

/** As much as the writer of a blob can say about it. */
const heavy = (index: number) =>
  blobState({
    name: `${index}`.padEnd(1024, 'n'),
    metadata: { a: 'm'.repeat(8_000) },
    tags: Object.fromEntries(Array.from({ length: 10 }, (_, tag) => [`${tag}`.repeat(128), 't'.repeat(256)])),
  });

test('a slice with outcomes of much text ends before its part is too large to read', () => {
  const { writer } = slice();
  let count = 0;
  while (!writer.isFull()) {
    writer.list(1);
    writer.settle(outcomeOf(heavy(count++), 'skipped', { code: 'source-archived' }));
  }
  expect(count).toBeGreaterThan(1_000);
  expect(count * JSON.stringify(outcomeOf(heavy(0), 'skipped', { code: 'source-archived' })).length).toBeLessThan(
    33 * MIB,
  );
});

test('a chunk with planned items of much text ends before it is too large to read', async () => {
  const { writer, written } = slice();
  for (let index = 0; index < 3_000; index++)
    await writer.plan({ from: heavy(index), to: heavy(index), reason: 'changed' });
  await writer.finishPlan();
  expect(written.length).toBeGreaterThan(2);
  const line = JSON.stringify({ from: heavy(0), to: heavy(0), reason: 'changed' }).length;
  expect(Math.max(...written) * line).toBeLessThan(33 * MIB);
});
