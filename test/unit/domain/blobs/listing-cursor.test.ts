import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import type { BlobState } from '#domain/blobs/blob.ts';
import { ListingCursor, type ListingPage } from '#domain/blobs/listing-cursor.ts';
import { byCodePoint, byPathSegment, byUtf16, NameOrder } from '#domain/blobs/name-order.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

const ORDERS = { byUtf16, byCodePoint, byPathSegment };

/** Names that the orders disagree on, each with so many snapshots before its base blob, or with snapshots alone. */
const names = fc.uniqueArray(
  fc
    .array(fc.constantFrom('a', 'b', '-', '/', '😀', '\uffee'), { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('')),
  { minLength: 1, maxLength: 12 },
);
const kept = fc.array(fc.nat(3), { minLength: 12, maxLength: 12 });

function listing(sorted: string[], snapshots: number[]): BlobState[] {
  return sorted.flatMap((name, index) => [
    ...Array.from({ length: snapshots[index]! }, (_, time) =>
      blobState({ name, snapshotOrVersion: { snapshot: `t${time}` } }),
    ),
    blobState({ name }),
  ]);
}

/** Pages of so many items, empty ones among them. */
function pagesOf(all: BlobState[], sizes: number[]): ListingPage[] {
  const pages: ListingPage[] = [];
  for (let at = 0, index = 0; at < all.length; index++) {
    const size = sizes[index % sizes.length]!;
    pages.push({ blobs: all.slice(at, at + size) });
    at += size;
  }
  return pages.map((page, index) => (index + 1 < pages.length ? { ...page, next: String(index + 1) } : page));
}

const reading =
  (pages: ListingPage[], asked: string[] = []) =>
  async (marker: string | undefined): Promise<ListingPage> => {
    asked.push(marker ?? 'first');
    return pages[Number(marker ?? 0)] ?? { blobs: [] };
  };

test('a cursor takes everything listed under a name, wherever pages end, and a walk may stop at any name', async () => {
  const sizes = fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }).filter((all) => all.some((size) => size > 0));
  const order = fc.constantFrom(...(Object.keys(ORDERS) as (keyof typeof ORDERS)[]));
  await fc.assert(
    fc.asyncProperty(
      names,
      kept,
      sizes,
      order,
      fc.nat(12),
      fc.nat(5),
      async (given, snapshots, cut, by, stop, skip) => {
        const sorted = [...given].sort(ORDERS[by]);
        const all = listing(sorted, snapshots);
        const pages = pagesOf(all, cut);
        // The order is known from elsewhere, as from a manifest: of one page alone it may not be.
        const known = new NameOrder();
        for (let index = 1; index < sorted.length; index++) known.observe(sorted[index - 1]!, sorted[index]!);
        let cursor = new ListingCursor(reading(pages), undefined, known);
        for (const [index, name] of sorted.entries()) {
          if (index % (skip + 2) === 1) continue;
          expect(await cursor.takeAll(name)).toEqual(all.filter((blob) => blob.name === name));
          if (index === stop) cursor = new ListingCursor(reading(pages), cursor.marker, known);
        }
        expect(await cursor.takeAll('zzzz')).toEqual([]);
      },
    ),
    { numRuns: 600 },
  );
});

it('takes nothing for a name that is not listed, and does not move past the next one', async () => {
  const cursor = new ListingCursor(reading([{ blobs: listing(['b', 'd'], [1, 0]) }]), undefined, new NameOrder());
  expect(await cursor.takeAll('a')).toEqual([]);
  expect(await cursor.takeAll('c')).toEqual([]);
  expect(await cursor.takeAll('d')).toHaveLength(1);
});

it('reads every page once, and an empty listing too', async () => {
  const asked: string[] = [];
  const pages = pagesOf(listing(['a', 'b', 'c'], [2, 2, 2]), [2]);
  const cursor = new ListingCursor(reading(pages, asked), undefined, new NameOrder());
  for (const name of ['a', 'b', 'c', 'd']) await cursor.takeAll(name);
  expect(asked).toEqual(['first', '1', '2', '3', '4']);
  const none = new ListingCursor(reading([]), undefined, new NameOrder());
  expect(await none.takeAll('a')).toEqual([]);
});

it('fails with the page that fails', async () => {
  const cursor = new ListingCursor(() => Promise.reject(new Error('out of reach')), undefined, new NameOrder());
  await expect(cursor.takeAll('a')).rejects.toThrow('out of reach');
});
