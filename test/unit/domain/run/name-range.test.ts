import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { mayHold, mayHoldPrefix, mayOverlap, type NameRange, widened } from '#domain/run/name-range.ts';

/** Any UTF-16 but U+FFFF, which no blob name has: also halves of pairs, and names longer than a range keeps. */
const unit = fc.oneof(
  fc.constantFrom('a', 'b', '/', '\u0000', '\ud83d', '\ude00', '\udfff', '\ufffe'),
  fc.integer({ min: 0, max: 0xfffe }).map((code) => String.fromCharCode(code)),
);
const name = fc.oneof(
  fc.array(unit, { maxLength: 6 }).map((units) => units.join('')),
  fc
    .tuple(fc.integer({ min: 77, max: 83 }), fc.array(unit, { maxLength: 6 }))
    .map(([length, units]) => 'x'.repeat(length) + units.join('')),
);
const names = fc.array(name, { minLength: 1, maxLength: 12 });
const rangeOf = (all: string[]) => all.reduce<NameRange | undefined>(widened, undefined)!;

test('a name that is in a part is never said not to be, nor by what it begins with', () => {
  fc.assert(
    fc.property(names, fc.nat(90), (all, length) => {
      const range = rangeOf(all);
      for (const each of all) {
        expect(mayHold(range, each)).toBe(true);
        expect(mayHoldPrefix(range, each.slice(0, length))).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

test('two parts that have a name in common are never said not to have one', () => {
  fc.assert(
    fc.property(names, names, name, (some, others, shared) => {
      expect(mayOverlap(rangeOf([...some, shared]), rangeOf([shared, ...others]))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('a range is small, whatever the names', () => {
  fc.assert(
    fc.property(names, (all) => {
      for (const end of rangeOf(all)) expect(end.length).toBeLessThanOrEqual(81);
    }),
  );
});

it('says of what is clearly outside that it is not in it', () => {
  const range = rangeOf(['b/1', 'b/9']);
  for (const outside of ['a', 'b/0', 'c', 'b/99']) expect(mayHold(range, outside)).toBe(false);
  expect(mayHoldPrefix(range, 'b/')).toBe(true);
  expect(mayHoldPrefix(range, 'a')).toBe(false);
  expect(mayHoldPrefix(range, 'c')).toBe(false);
  expect(mayOverlap(range, rangeOf(['c', 'd']))).toBe(false);
});

it('of which nothing is known may hold anything', () => {
  expect(mayHold(undefined, 'x')).toBe(true);
  expect(mayHoldPrefix(undefined, 'x')).toBe(true);
  expect(mayOverlap(undefined, ['a', 'b'])).toBe(true);
});
