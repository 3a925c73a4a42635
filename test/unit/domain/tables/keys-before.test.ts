import fc from 'fast-check';
import { expect, it } from 'vitest';
import { byCodePoint, byUtf16 } from '#domain/blobs/name-order.ts';
import { keysBefore } from '#domain/tables/keys-before.ts';

it('come before the key in every order, and can be asked for', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 5 }), (key) => {
      const before = keysBefore(key);
      expect(before.length).toBeGreaterThan(0);
      for (const each of before) {
        expect(byUtf16(each, key)).toBeLessThan(0);
        expect(byCodePoint(each, key)).toBeLessThan(0);
        expect(each.isWellFormed()).toBe(true);
      }
      // The widest comes before every key that begins alike.
      expect(key.startsWith(before.at(-1)!)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

it.each([
  ['0', '.'],
  ['$', '"'],
  ['@', '>'],
  [']', '['],
  ['\u00a0', '~'],
  ['\ue000', '\ud7ff'],
])('avoid what keys may not have: %s after %s', (key, before) => {
  expect(keysBefore(`row${key}`)).toEqual([`row${before}\ud7ff`, 'row']);
});

it('never cut a character in two', () => {
  expect(keysBefore('row🦜')).toEqual(['row\ud7ff', 'row']);
});

it('have none before the first', () => {
  expect(keysBefore('')).toEqual([]);
  expect(keysBefore(' ')).toEqual(['']);
});
