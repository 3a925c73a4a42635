/**
 * The order of names in listings. The service promises "alphabetical", which flat accounts, accounts with a
 * hierarchical namespace and the emulator interpret differently. So the order is observed, not assumed: every pair of
 * neighbors rules out the orders that it contradicts.
 *
 * Correctness does not depend on the order. With a wrong one, a blob looks absent from the backup container; the
 * service then refuses the create-only copy, and Strongroom requests the properties of the blob.
 */
export class NameOrder {
  #candidates: Comparator[] = [byUtf16, byCodePoint, byPathSegment];

  get compare(): Comparator {
    return this.#candidates[0] ?? byUtf16;
  }

  /** False if no known order explains the observed names. */
  get isKnown(): boolean {
    return this.#candidates.length > 0;
  }

  /** True if names were compared in an order that turned out to be wrong: the walk may have missed matches. */
  get wasWrong(): boolean {
    return this.#candidates[0] !== byUtf16;
  }

  /** Notes that a listing has `next` right after `previous`. */
  observe(previous: string, next: string): void {
    if (isBeforeInEveryOrder(previous, next)) return;
    if (this.#candidates.every((compare) => compare(previous, next) < 0)) return;
    this.#candidates = this.#candidates.filter((compare) => compare(previous, next) < 0);
  }
}

/** True for nearly all neighbors, after one pass over them. */
function isBeforeInEveryOrder(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    // The orders differ only about slashes and surrogates.
    if (x !== y) return x < y && x !== SLASH && y !== SLASH && y < 0xd800;
  }
  return a.length < b.length;
}

const SLASH = 0x2f;

export type Comparator = (a: string, b: string) => number;

/** By UTF-16 code unit: the order of JavaScript and of the emulator. */
export function byUtf16(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By code point, which is the order of the UTF-8 bytes. It differs from UTF-16 above U+FFFF. */
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
