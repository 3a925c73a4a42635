import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { behind, between } from '#domain/tables/key-midpoint.ts';

/** What keys are made of: characters on which orders disagree, and those next to what no key may hold. */
const unit = fc.oneof(
  fc.constantFrom(...'aAbz019 ~.0>@[]', '\u00a0', 'ä', '日', '\ud7ff', '\ue000', '\uffee', '\u{1f600}', '\u{10fffd}'),
  fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
);
const key = fc.array(unit, { maxLength: 8 }).map((units) => units.join('').replace(/[/\\#?]/g, ''));

/** Control characters, halves of characters, and what addresses use. */
const FORBIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
  /[\u0000-\u001f\u007f-\u009f/\\#?]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

describe('a text between two keys', () => {
  it('is strictly between them, could be in a key, and is no longer than it takes', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        fc.pre(one !== other);
        const [from, to] = one < other ? [one, other] : [other, one];
        const found = between(from, to);
        if (found === undefined) return;
        expect(found > from && found < to, JSON.stringify([from, found, to])).toBe(true);
        expect(found).not.toMatch(FORBIDDEN);
        expect(found.length).toBeLessThanOrEqual(Math.max(from.length, to.length) + 1);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is found wherever letters and digits leave room', () => {
    const plain = fc.string({ unit: fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyz'), maxLength: 6 });
    fc.assert(
      fc.property(plain, plain, (one, other) => {
        fc.pre(one !== other);
        const [from, to] = one < other ? [one, other] : [other, one];
        // Nothing but what begins with a space is between a text and the same with an 0 behind it.
        fc.pre(!(to.startsWith(from) && /^0*$/.test(to.slice(from.length))));
        expect(between(from, to), JSON.stringify([from, to])).toBeDefined();
      }),
      { numRuns: 3_000 },
    );
  });

  it('is about half way, so that halving comes to an end soon', () => {
    fc.assert(
      fc.property(key, key, fc.infiniteStream(fc.boolean()), (one, other, choices) => {
        fc.pre(one !== other);
        let [from, to] = one < other ? [one, other] : [other, one];
        let steps = 0;
        for (const lower of choices) {
          const middle = between(from, to);
          if (middle === undefined) break;
          if (lower) to = middle;
          else from = middle;
          expect(++steps, JSON.stringify([one, other])).toBeLessThan(400);
        }
      }),
    );
    // A quarter of the letters is left after two steps.
    expect(between('a', 'q')).toBe('i');
    expect(between('i', 'q')).toBe('m');
  });

  it('keeps what both begin with, and looks within one where both are neighbours', () => {
    expect(between('order-10', 'order-30')).toBe('order-2');
    expect(between('order-1', 'order-2')! > 'order-1').toBe(true);
    expect(between('order-19', 'order-2')!.startsWith('order-1')).toBe(true);
    expect(between('a', 'a ')).toBeUndefined();
    expect(between('', ' ')).toBeUndefined();
  });
});

describe('a text behind all that begin alike', () => {
  it('is behind every one of them, before everything else, and could be in a key', () => {
    fc.assert(
      fc.property(key, key, fc.nat(8), (text, rest, at) => {
        fc.pre(text.length > 0);
        const length = 1 + (at % text.length);
        const found = behind(text, length);
        if (found === undefined) return;
        expect(found > text.slice(0, length) + rest, JSON.stringify([text, length, found])).toBe(true);
        expect(found > text).toBe(true);
        expect(found).not.toMatch(FORBIDDEN);
        expect(found.length).toBe(length);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is the next character where that may be in a key', () => {
    expect(behind('abc', 2)).toBe('ac');
    expect(behind('0009', 4)).toBe('000:');
    expect(behind('a.', 2)).toBe('a\u00a0');
    expect(behind('\ud7ff', 1)).toBeUndefined();
    expect(behind('\u{1f600}', 1)).toBeUndefined();
  });
});
