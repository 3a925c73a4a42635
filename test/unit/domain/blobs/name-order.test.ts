import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byCodePoint, byPathSegment, byUtf16, type Comparator, NameOrder } from '#domain/blobs/name-order.ts';

/** Names in which the orders disagree often: slashes, what sorts below them, and characters beside and above U+FFFF. */
const unit = fc.constantFrom('/', '-', '!', '.', '0', 'a', 'b', 'é', '\ue000', '\uffff', '😀', '𐀀');
const anyName = fc.array(unit, { minLength: 1, maxLength: 6 }).map((units) => units.join(''));

const segments: Comparator = (a, b) => {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [index, segment] of left.entries()) {
    if (index >= right.length) return 1;
    const other = right[index]!;
    if (segment !== other) return segment < other ? -1 : 1;
  }
  return left.length - right.length;
};

const orders: [string, Comparator, Comparator][] = [
  ['UTF-16', byUtf16, (a, b) => (a < b ? -1 : a > b ? 1 : 0)],
  ['code points', byCodePoint, (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))],
  ['path segments', byPathSegment, segments],
];

describe.each(orders)('by %s', (_name, compare, definition) => {
  it('agrees with its definition', () => {
    fc.assert(
      fc.property(anyName, anyName, (a, b) => {
        expect(Math.sign(compare(a, b))).toBe(Math.sign(definition(a, b)));
      }),
      { numRuns: 1000 },
    );
  });

  it('is a total order', () => {
    fc.assert(
      fc.property(anyName, anyName, anyName, (a, b, c) => {
        expect(Math.sign(compare(a, b)) + Math.sign(compare(b, a))).toBe(0);
        expect(compare(a, b) === 0).toBe(a === b);
        if (compare(a, b) < 0 && compare(b, c) < 0) expect(compare(a, c)).toBeLessThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});

it('by code points agrees with UTF-8 for any well-formed string', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(byCodePoint(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
});

describe('observing', () => {
  it.each(orders)('a listing by %s never rules out its own order', (_name, compare) => {
    fc.assert(
      fc.property(fc.uniqueArray(anyName, { maxLength: 30 }), (names) => {
        const order = new NameOrder();
        const sorted = [...names].sort(compare);
        for (const [index, name] of sorted.slice(1).entries()) order.observe(sorted[index]!, name);
        expect(order.isKnown).toBe(true);
        for (const [index, name] of sorted.slice(1).entries()) {
          expect(order.compare(sorted[index]!, name)).toBeLessThan(0);
        }
      }),
    );
  });

  it('takes the order that explains what was seen', () => {
    const order = new NameOrder();
    expect(order.compare).toBe(byUtf16);
    order.observe('a/z', 'a-b');
    expect(order.compare).toBe(byPathSegment);
    const flat = new NameOrder();
    flat.observe('\uffff', '😀');
    expect(flat.compare).toBe(byCodePoint);
  });

  it('forgets nothing: an order contradicted while another served is not taken up later', () => {
    const order = new NameOrder();
    order.observe('😀', '\uffff');
    order.observe('a/z', 'a-b');
    order.observe('a-b', 'a/z');
    expect(order.isKnown).toBe(false);
    const one = new NameOrder();
    one.observe('😀', '\uffff');
    one.observe('\uffff', '😀');
    expect(one.isKnown).toBe(false);
    const two = new NameOrder();
    two.observe('a-b', 'a/z');
    two.observe('\uffff', '😀');
    expect(two.compare).toBe(byCodePoint);
    two.observe('a/z', 'a-b');
    expect(two.isKnown).toBe(false);
  });

  it('says so when no known order explains what was seen, and keeps to one that is total', () => {
    const order = new NameOrder();
    order.observe('b', 'a');
    expect(order.isKnown).toBe(false);
    expect(order.compare).toBe(byUtf16);
    order.observe('a', 'b');
    expect(order.isKnown).toBe(false);
  });
});
