/**
 * The order in which listings give names. The service promises "alphabetical", which flat accounts, accounts with a
 * hierarchical namespace and the emulator read differently, so the order is observed instead of assumed: every pair
 * of neighbours rules out the orders it contradicts.
 *
 * Nothing depends on the order being right. A wrong one makes a blob look absent from the backup container; the create-only
 * copy that follows is refused, and the blob is then looked at singly.
 */
export class NameOrder {
  #candidates: Comparator[] = [byUtf16, byCodePoint, byPathSegment];

  get compare(): Comparator {
    return this.#candidates[0] ?? byUtf16;
  }

  /** False once no known order explains what was seen. */
  get isKnown(): boolean {
    return this.#candidates.length > 0;
  }

  /** True once names have been compared in an order that turned out to be wrong: matches may have been missed. */
  get wasWrong(): boolean {
    return this.#candidates[0] !== byUtf16;
  }

  /** Takes note that a listing gave `next` after `previous`. */
  observe(previous: string, next: string): void {
    if (isBeforeInEveryOrder(previous, next)) return;
    if (this.#candidates.every((compare) => compare(previous, next) < 0)) return;
    this.#candidates = this.#candidates.filter((compare) => compare(previous, next) < 0);
  }
}

/** What holds for nearly all neighbours, at the cost of one look along them. */
function isBeforeInEveryOrder(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // The orders differ about slashes and about surrogates, and agree on everything else.
    if (x !== y) return x < y && x !== SLASH && y !== SLASH && y < 0xd800;
  }
  return a.length < b.length;
}

const SLASH = 0x2f;

export type Comparator = (a: string, b: string) => number;

/** By UTF-16 code unit: JavaScript's own order, and the emulator's. */
export function byUtf16(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By code point, which is the order of the UTF-8 bytes; differs from UTF-16 above U+FFFF. */
export function byCodePoint(a: string, b: string): number {
  return compareUnits(a, b, (unit) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit));
}

/** Segment by segment, as accounts with a hierarchical namespace list: `a/z` comes before `a-b`. */
export function byPathSegment(a: string, b: string): number {
  return compareUnits(a, b, (unit) => (unit === SLASH ? -1 : unit));
}

function compareUnits(a: string, b: string, weigh: (unit: number) => number): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return weigh(x) - weigh(y);
  }
  return a.length - b.length;
}
