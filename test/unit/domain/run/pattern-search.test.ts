import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matches } from '#domain/blobs/container-pattern.ts';
import { searchOn } from '#domain/run/pattern-search.ts';

test('however names are paged, the same patterns are left, and the example is one that no pattern matches', () => {
  const name = fc.stringMatching(/^[ab$]{1,3}$/);
  const pattern = fc.stringMatching(/^[ab]{0,2}\*$/);
  fc.assert(
    fc.property(fc.array(name), fc.array(pattern, { minLength: 1 }), fc.nat(10), (names, patterns, cut) => {
      const on = (search: Parameters<typeof searchOn>[0], page: string[]) => searchOn(search, patterns, page, matches);
      const found = on(on({ left: patterns }, names.slice(0, cut)), names.slice(cut));
      expect(found.left).toEqual(patterns.filter((each) => !names.some((one) => matches(each, one))));
      const possible = names.filter((one) => !one.startsWith('$'));
      const unmatched = possible.filter((one) => !patterns.some((each) => matches(each, one)));
      expect(found.example).toBe(unmatched[0] ?? possible[0]);
    }),
  );
});
