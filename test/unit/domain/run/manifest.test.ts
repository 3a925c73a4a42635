import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { byCodePoint, byPathSegment, byUtf16, NameOrder } from '#domain/blobs/name-order.ts';
import { chunkKey, laterKey, partPath, sliceKey } from '#domain/run/control-paths.ts';
import { inListedOrder, isHeld, manifestPages } from '#domain/run/manifest.ts';
import type { Outcome } from '#domain/run/outcome.ts';
import type { PartEntry } from '#domain/run/run.ts';

const entry = (name: string, failed = false): Outcome => ({
  name,
  ...(failed ? { status: 'failed', code: 'throttled' } : { status: 'copied' }),
  etag: '0x1',
  modified: '2026-05-01T10:00:00.000Z',
  size: 1,
});

/** What a run leaves of one container. */
interface Written {
  path: string;
  items: Outcome[];
}

const runId = (index: number) => `nightly-2026050${index + 1}T000000Z-aaaaaa`;

/** Chances, one after another, from 0 to 99. */
class Dice {
  readonly #values: number[];
  #at = 0;
  constructor(values: number[]) {
    this.#values = values;
  }
  next(below: number): number {
    return this.#values[this.#at++ % this.#values.length]! % below;
  }
}

/** Cuts a list into stretches of one to `most`. */
function stretches<T>(items: T[], most: number, dice: Dice): T[][] {
  const cut: T[][] = [];
  for (let at = 0; at < items.length; ) {
    const size = 1 + dice.next(most);
    cut.push(items.slice(at, at + size));
    at += size;
  }
  return cut;
}

/**
 * The parts of a run: of each slice the outcomes of the scan, and of each chunk its pieces and their later outcomes.
 */
function slicesOf(run: string, container: string, names: string[], isRetry: boolean, dice: Dice): Written[] {
  const at = (kind: 'slice' | 'chunk', key: string) => partPath({ job: 'nightly', id: run }, kind, container, key);
  const parts: Written[] = [];
  const slices = isRetry ? [names] : stretches(names, 6, dice);
  for (const [slice, listed] of slices.entries()) {
    const planned = listed.filter(() => isRetry || dice.next(2) === 0);
    const settled = listed.filter((name) => !planned.includes(name)).map((name) => entry(name, dice.next(5) === 0));
    parts.push({ path: at('slice', sliceKey(slice)), items: settled });
    for (const [chunk, items] of stretches(planned, 4, dice).entries()) {
      let from = 0;
      for (const piece of stretches(items, 3, dice)) {
        const outcomes = piece.map((name) => entry(name, dice.next(3) === 0));
        const later = outcomes.filter(() => dice.next(3) === 0);
        const key = chunkKey(slice, chunk, from);
        parts.push({ path: at('chunk', key), items: outcomes.filter((item) => !later.includes(item)) });
        if (later.length > 0) parts.push({ path: at('chunk', laterKey(key)), items: later });
        from += piece.length;
      }
    }
  }
  // Listed by name, as storage gives them.
  return parts.sort((a, b) => byUtf16(a.path, b.path));
}

/** A run and retries of it, each of what failed in the one before, in the order in which its parts name it. */
function history(container: string, names: string[], retries: number, dice: Dice): Written[] {
  const all: Written[] = [];
  let open = names;
  for (let run = 0; run <= retries && (run === 0 || open.length > 0); run++) {
    const parts = slicesOf(runId(run), container, open, run > 0, dice);
    open = parts.flatMap(({ items }) => items.filter((item) => !isHeld(item)).map(({ name }) => name));
    all.push(...parts);
  }
  return all;
}

const partOf = ({ path }: Written, container: string): PartEntry => ({
  ...{ path, container, destination: 'x', copied: 0, unchanged: 0, skipped: 0, failed: 0, sha256: '' },
});

const names = fc.uniqueArray(
  fc
    .array(fc.constantFrom('a', 'b', '-', '/', '😀', '\uffee', '1'), { minLength: 1, maxLength: 5 })
    .map((parts) => parts.join('')),
  { maxLength: 40 },
);
const dice = fc.array(fc.nat(99), { minLength: 20, maxLength: 60 }).map((values) => new Dice(values));
const order = fc.constantFrom(byUtf16, byCodePoint, byPathSegment);

test('every entry that is held is on a page exactly once, and a first pass is in the order of the listing', () => {
  fc.assert(
    fc.property(names, fc.nat(3), dice, order, (given, retries, chance, by) => {
      const listed = [...given].sort(by);
      const written = history('data', listed, retries, chance);
      const others = history('other', ['q', 'r'], 0, chance);
      const parts = [...written.map((each) => partOf(each, 'data')), ...others.map((each) => partOf(each, 'other'))];
      const items = new Map(written.map(({ path, items }) => [path, items]));
      const pages = manifestPages(parts, 'data');
      // As a listing of the backup container shows it.
      const learnt = new NameOrder();
      for (let index = 1; index < listed.length; index++) learnt.observe(listed[index - 1]!, listed[index]!);
      const read = pages.map(({ parts: own, run }) => {
        expect(own.every(({ path }) => path.includes(`/${run}/`))).toBe(true);
        return {
          run,
          outcomes: inListedOrder(
            own.map(({ path }) => items.get(path)!),
            learnt,
            run === runId(0),
          ),
        };
      });
      const held = read.flatMap(({ outcomes }) => outcomes.filter(isHeld).map(({ name }) => name));
      const expected = written.flatMap((each) => each.items.filter(isHeld).map(({ name }) => name));
      expect([...held].sort()).toEqual([...expected].sort());
      expect(new Set(held).size).toBe(held.length);
      // What a retry's parts are sorted by says nothing of the listing: the order that is right is not ruled out by it.
      expect(learnt.isKnown).toBe(true);
      for (const { outcomes } of read) expect(outcomes).toEqual(outcomes.toSorted((a, b) => by(a.name, b.name)));
      const first = read.filter(({ run }) => run === runId(0)).flatMap(({ outcomes }) => outcomes);
      const sorted = first.map(({ name }) => name);
      expect(sorted).toEqual([...sorted].sort(by));
    }),
    { numRuns: 1000 },
  );
});

it('a page is a slice, and of a retry a chunk', () => {
  const path = (run: number, kind: 'slice' | 'chunk', key: string) =>
    partOf({ path: partPath({ job: 'nightly', id: runId(run) }, kind, 'data', key), items: [] }, 'data');
  const pages = manifestPages(
    [
      ...[
        path(0, 'chunk', chunkKey(0, 0, 0)),
        path(0, 'chunk', laterKey(chunkKey(0, 0, 0))),
        path(0, 'chunk', chunkKey(0, 1, 0)),
      ],
      ...[path(0, 'slice', sliceKey(0)), path(0, 'slice', sliceKey(1))],
      ...[
        path(1, 'chunk', chunkKey(0, 0, 0)),
        path(1, 'chunk', chunkKey(0, 0, 5)),
        path(1, 'chunk', chunkKey(0, 1, 0)),
      ],
    ],
    'data',
  );
  expect(pages.map(({ run, parts }) => [run, parts.length])).toEqual([
    [runId(0), 4],
    [runId(0), 1],
    [runId(1), 2],
    [runId(1), 1],
  ]);
});

it('parts of a retry are put in order, and teach none', () => {
  const learnt = new NameOrder();
  const part = ['m', 'z', 'a'].map((name) => entry(name));
  expect(inListedOrder([part], learnt, false).map(({ name }) => name)).toEqual(['a', 'm', 'z']);
  expect(learnt.isKnown).toBe(true);
  expect(learnt.wasWrong).toBe(false);
});

const namesOf = (outcomes: Outcome[]) => outcomes.map(({ name }) => name);
const partWith = (...listed: string[]) => listed.map((name) => entry(name));

test('the parts of a run are joined in the order in which they list their names', () => {
  const parts = [partWith('a/z', 'a-b', 'c'), partWith('a-a')];
  expect(namesOf(inListedOrder(parts, new NameOrder()))).toEqual(['a/z', 'a-a', 'a-b', 'c']);
});

test('a single part stays as it was listed, even in an order that is not known', () => {
  expect(namesOf(inListedOrder([partWith('c', 'a', 'b')], new NameOrder()))).toEqual(['c', 'a', 'b']);
});

test.each([
  ['copied', true],
  ['unchanged', true],
  ['skipped', false],
  ['failed', false],
  ['removed', false],
] as const)('I1: a restore point has a blob whose outcome is %s: %s', (status, held) => {
  expect(isHeld({ status })).toBe(held);
});
