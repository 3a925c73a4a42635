import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BlobState } from '#domain/blobs/blob.ts';
import type { ListingPage } from '#domain/blobs/listing-cursor.ts';
import { MergeWalk, type Pair, type WalkPosition } from '#domain/blobs/merge-walk.ts';
import { byCodePoint, byPathSegment, byUtf16, type Comparator } from '#domain/blobs/name-order.ts';
import { blobState } from '../../../support/builders/blob-state.ts';

/** A listing cut into pages; notes which were read. Pages may be short, or empty. */
class Listing {
  readonly reads: (string | undefined)[] = [];
  readonly pages: string[][];
  failAt: number | undefined;

  constructor(names: string[], cuts: number[]) {
    this.pages = [];
    let rest = names;
    for (let index = 0; rest.length > 0; index++) {
      const size = cuts[index % cuts.length]!;
      this.pages.push(rest.slice(0, size));
      rest = rest.slice(size);
      // Only empty pages would never come to an end.
      if (size === 0 && cuts.every((cut) => cut === 0)) break;
    }
    if (this.pages.length === 0) this.pages.push([]);
  }

  read = async (marker: string | undefined): Promise<ListingPage> => {
    this.reads.push(marker);
    const index = marker === undefined ? 0 : Number(marker);
    if (this.failAt === index) {
      this.failAt = undefined;
      throw new Error(`page ${index} cannot be read`);
    }
    const blobs = this.pages[index]!.map((name) => blobState({ name }));
    return { blobs, next: index + 1 < this.pages.length ? String(index + 1) : undefined };
  };
}

const unit = fc.constantFrom('/', '-', '.', '0', 'a', 'b', '\uffff', '😀');
const anyName = fc.array(unit, { minLength: 1, maxLength: 5 }).map((units) => units.join(''));
const anyNames = fc.uniqueArray(anyName, { maxLength: 40 });
const anyCuts = fc
  .array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 5 })
  .filter((cuts) => cuts.some((cut) => cut > 0));

const ORDERS: [string, Comparator][] = [
  ['UTF-16', byUtf16],
  ['code points', byCodePoint],
  ['path segments', byPathSegment],
];

async function walkAll(walk: MergeWalk): Promise<Pair[]> {
  const pairs: Pair[] = [];
  while (walk.position !== undefined) pairs.push(...(await walk.nextPairs()));
  return pairs;
}

const named = (pairs: Pair[]) => pairs.map(({ source, beside }) => [source.name, beside?.name]);

/** Some names of each side in common, some on one side only. */
const anySides = fc.record({
  names: anyNames,
  sides: fc.array(fc.constantFrom('both', 'source', 'beside'), { minLength: 40, maxLength: 40 }),
});
const sideOf = ({ names, sides }: { names: string[]; sides: string[] }, side: string) =>
  names.filter((_, index) => sides[index] !== (side === 'source' ? 'beside' : 'source'));

describe('in any order, of any two listings', () => {
  it('I1: pairs every source blob once, in order, and never with a blob of another name', async () => {
    const orders = fc.constantFrom<Comparator | undefined>(byUtf16, byCodePoint, byPathSegment, undefined);
    await fc.assert(
      fc.asyncProperty(anySides, orders, orders, anyCuts, anyCuts, async (both, a, b, sourceCuts, besideCuts) => {
        const sourceNames = sideOf(both, 'source');
        const besideNames = sideOf(both, 'beside').reverse();
        if (a) sourceNames.sort(a);
        if (b) besideNames.sort(b);
        const [source, beside] = [new Listing(sourceNames, sourceCuts), new Listing(besideNames, besideCuts)];
        const walk = new MergeWalk(source.read, beside.read);
        const pairs = await walkAll(walk);
        expect(pairs.map((pair) => pair.source.name)).toEqual(sourceNames);
        for (const pair of pairs) if (pair.beside) expect(pair.beside.name).toBe(pair.source.name);
        // Each page once: reading is what a scan costs.
        expect(new Set(source.reads).size).toBe(source.reads.length);
        expect(new Set(beside.reads).size).toBe(beside.reads.length);
        expect(await walk.nextPairs()).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

describe.each(ORDERS)('both listings by %s', (_name, compare) => {
  it('every match is found when the pages show the order before it matters', async () => {
    await fc.assert(
      fc.asyncProperty(anySides, async (both) => {
        const sourceNames = sideOf(both, 'source').sort(compare);
        const besideNames = sideOf(both, 'beside').sort(compare);
        const walk = new MergeWalk(new Listing(sourceNames, [50]).read, new Listing(besideNames, [50]).read);
        const here = new Set(besideNames);
        const wanted = sourceNames.map((name) => [name, here.has(name) ? name : undefined]);
        expect(named(await walkAll(walk))).toEqual(wanted);
        expect(walk.order.isKnown).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('a beside that is complete is matched wholly, whatever the pages', async () => {
    await fc.assert(
      fc.asyncProperty(anyNames, anyCuts, anyCuts, async (names, sourceCuts, besideCuts) => {
        names.sort(compare);
        const walk = new MergeWalk(new Listing(names, sourceCuts).read, new Listing(names, besideCuts).read);
        expect(named(await walkAll(walk))).toEqual(names.map((name) => [name, name]));
      }),
      { numRuns: 300 },
    );
  });
});

describe('in the order that is tried first', () => {
  it('every match is found, whatever the pages, also when taken up again at every page', async () => {
    await fc.assert(
      fc.asyncProperty(anySides, anyCuts, anyCuts, async (both, sourceCuts, besideCuts) => {
        const sourceNames = sideOf(both, 'source').sort(byUtf16);
        const besideNames = sideOf(both, 'beside').sort(byUtf16);
        const [source, beside] = [new Listing(sourceNames, sourceCuts), new Listing(besideNames, besideCuts)];
        const here = new Set(besideNames);
        const wanted = sourceNames.map((name) => [name, here.has(name) ? name : undefined]);
        expect(named(await walkAll(new MergeWalk(source.read, beside.read)))).toEqual(wanted);

        source.reads.length = 0;
        beside.reads.length = 0;
        const pairs: Pair[] = [];
        let walks = 0;
        let from: WalkPosition | undefined = {};
        while (from !== undefined) {
          const walk = new MergeWalk(source.read, beside.read, { from });
          pairs.push(...(await walk.nextPairs(() => false)));
          walks++;
          // What is carried over is stored as JSON.
          from = walk.position && (JSON.parse(JSON.stringify(walk.position)) as WalkPosition);
        }
        expect(named(pairs)).toEqual(wanted);
        expect(source.reads.length).toBe(source.pages.length);
        expect(beside.reads.length).toBeLessThanOrEqual(beside.pages.length + walks);
      }),
      { numRuns: 300 },
    );
  });
});

describe('pages', () => {
  const names = Array.from({ length: 12 }, (_, index) => `n${String(index).padStart(2, '0')}`);

  it('the next one is on its way while this one is worked on', async () => {
    const source = new Listing(names, [3]);
    const walk = new MergeWalk(source.read, new Listing([], [1]).read);
    await walk.nextPairs();
    expect(source.reads).toEqual([undefined, '1']);
    await walk.nextPairs((listed) => {
      expect(listed).toBe(3);
      return true;
    });
    expect(source.reads).toEqual([undefined, '1', '2']);
  });

  it('a refused one is not read, and the walk continues', async () => {
    const source = new Listing(names, [3]);
    const walk = new MergeWalk(source.read, new Listing([], [1]).read);
    await walk.nextPairs(() => false);
    expect(source.reads).toEqual([undefined]);
    expect(walk.position).toEqual({ source: '1', beside: undefined });
    expect(named(await walk.nextPairs(() => false))).toEqual(names.slice(3, 6).map((name) => [name, undefined]));
  });

  it('an empty source ends at once, and reads no more of the beside than one page', async () => {
    const beside = new Listing(names, [3]);
    const walk = new MergeWalk(new Listing([], [1]).read, beside.read);
    expect(await walk.nextPairs()).toEqual([]);
    expect(walk.position).toBeUndefined();
    expect(beside.reads).toEqual([undefined]);
  });

  it('the beside lies below a prefix', async () => {
    const beside = new Listing(['p/n00', 'p/n02', 'p/other'], [2]);
    const walk = new MergeWalk(new Listing(['n00', 'n01', 'n02'], [2]).read, beside.read, {
      nameBeside: (name) => `p/${name}`,
    });
    expect(named(await walkAll(walk))).toEqual([
      ['n00', 'p/n00'],
      ['n01', undefined],
      ['n02', 'p/n02'],
    ]);
  });

  it('no more than two of each side are held, however long the listings', { tags: ['slow'] }, async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held: WeakRef<BlobState[]>[] = [];
    const reader = async (marker: string | undefined): Promise<ListingPage> => {
      const page = Number(marker ?? 0);
      const blobs = Array.from({ length: 20 }, (_, i) => blobState({ name: String(page * 20 + i).padStart(6, '0') }));
      held.push(new WeakRef(blobs));
      return { blobs, next: page < 39 ? String(page + 1) : undefined };
    };
    const walk = new MergeWalk(reader, reader);
    let most = 0;
    while (walk.position !== undefined) {
      await walk.nextPairs();
      await new Promise((resolve) => setImmediate(resolve));
      collect();
      most = Math.max(most, held.filter((page) => page.deref() !== undefined).length);
    }
    expect(held.length).toBe(80);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4);
  });
});

describe('F10: a page that cannot be read', () => {
  const names = Array.from({ length: 20 }, (_, index) => `n${String(index).padStart(2, '0')}`);

  it('ends the walk with its error and is never taken for an end; asked again, the walk misses nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyCuts,
        anyCuts,
        fc.nat({ max: 19 }),
        fc.constantFrom('source', 'beside'),
        async (sourceCuts, besideCuts, page, side) => {
          const [source, beside] = [new Listing(names, sourceCuts), new Listing(names, besideCuts)];
          const broken = side === 'source' ? source : beside;
          broken.failAt = page % broken.pages.length;
          const walk = new MergeWalk(source.read, beside.read);
          const pairs: Pair[] = [];
          let failures = 0;
          while (walk.position !== undefined) {
            try {
              pairs.push(...(await walk.nextPairs()));
            } catch (error) {
              expect((error as Error).message).toMatch(/cannot be read/);
              failures++;
            }
          }
          expect(failures).toBe(broken.failAt === undefined ? 1 : 0);
          expect(pairs.map(({ source: { name } }) => name)).toEqual(names);
          // What lies behind the page that could not be read is still there.
          expect(pairs.at(-1)!.beside?.name).toBe('n19');
        },
      ),
      { numRuns: 200 },
    );
  });

  it('read ahead and never asked for, it ends nothing', async () => {
    const source = new Listing(names, [5]);
    source.failAt = 1;
    const walk = new MergeWalk(source.read, new Listing([], [1]).read);
    await walk.nextPairs();
    await new Promise((resolve) => setImmediate(resolve));
    expect(walk.position).toEqual({ source: '1', beside: undefined });
  });
});
