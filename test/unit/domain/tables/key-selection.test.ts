import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byCodePoint, byUtf16 } from '#domain/blobs/name-order.ts';
import type { KeySelection } from '#domain/run/tasks.ts';
import { isChosen, mayHoldChosen } from '#domain/tables/key-selection.ts';
import type { EntityKey, KeyBound, KeyRange } from '#domain/tables/table-key.ts';

const TEXTS = ['', 'a', 'aa', 'b', '\ue000', '\ue001', '😀', '😁'];
const text = fc.constantFrom(...TEXTS);
const bound: fc.Arbitrary<KeyBound> = fc.record({ partition: text, row: text }, { requiredKeys: ['partition'] });
const range: fc.Arbitrary<KeyRange> = fc.record({ after: bound, upTo: bound }, { requiredKeys: [] });
const choice: fc.Arbitrary<KeySelection> = fc.record({ partition: text, from: text, to: text }, { requiredKeys: [] });
const KEYS: EntityKey[] = TEXTS.flatMap((partition) => TEXTS.map((row) => ({ partition, row })));

/** Whether a key lies behind a bound, for a service that sorts by `compare`. */
function isBehind(key: EntityKey, { partition, row }: KeyBound, compare: typeof byUtf16): boolean {
  const order = compare(key.partition, partition);
  return order > 0 || (order === 0 && row !== undefined && compare(key.row, row) > 0);
}

it('no segment is left out that holds a key of the choice, in either order', () => {
  fc.assert(
    fc.property(range, choice, fc.constantFrom(byUtf16, byCodePoint), ({ after, upTo }, keys, compare) => {
      const inRange = KEYS.filter(
        (key) => (!after || isBehind(key, after, compare)) && (!upTo || !isBehind(key, upTo, compare)),
      );
      if (inRange.some((key) => isChosen(keys, key)))
        expect(mayHoldChosen({ ...(after && { after }), ...(upTo && { upTo }) }, keys)).toBe(true);
    }),
    { numRuns: 20_000 },
  );
});

it.each<[KeyRange, KeySelection]>([
  [{ upTo: { partition: 'a' } }, { partition: 'b' }],
  [{ upTo: { partition: 'a', row: '5' } }, { partition: 'b' }],
  [{ upTo: { partition: 'a' } }, { from: 'b' }],
  [{ upTo: { partition: 'b', row: '5' } }, { partition: 'b', from: '6' }],
  [{ after: { partition: 'b' } }, { partition: 'b' }],
  [{ after: { partition: 'b' } }, { to: 'b' }],
  [{ after: { partition: 'c', row: '1' } }, { to: 'b' }],
  [{ after: { partition: 'b', row: '5' } }, { partition: 'b', to: '5' }],
  [{ after: { partition: 'b', row: '5' } }, { partition: 'b', to: '4' }],
])('%j has none of %j: its files need not be read', (segment, keys) => {
  expect(mayHoldChosen(segment, keys)).toBe(false);
});

it('both ends are among those that are wanted', () => {
  const rows = (keys: KeySelection) =>
    KEYS.filter((key) => isChosen(keys, key)).map(({ partition, row }) => `${partition}/${row}`);
  expect(rows({ partition: 'a', from: 'a', to: 'b' })).toEqual(['a/a', 'a/aa', 'a/b']);
  expect(new Set(rows({ from: 'a', to: 'aa' }).map((name) => name.split('/')[0]))).toEqual(new Set(['a', 'aa']));
  expect(rows({})).toHaveLength(KEYS.length);
});
