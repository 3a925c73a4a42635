/**
 * A text about halfway between two others by UTF-16 code unit, and no longer than necessary; undefined if no key is in
 * between. It is only a guess of where to split: with another sort order of the service, key ranges have other sizes,
 * and none is left out.
 */
export function between(from: string, to: string): string | undefined {
  let shared = 0;
  while (shared < from.length && from[shared] === to[shared]) shared++;
  const [low, high] = [unitAt(from, shared, FIRST - 1), unitAt(to, shared, FIRST)];
  if (high - low > 1) return proper(from.slice(0, shared) + String.fromCharCode((low + high) >> 1), from, to);
  // They are adjacent: texts in between start like the lower one.
  for (let at = shared + 1; at <= from.length; at++) {
    const unit = unitAt(from, at, FIRST - 1);
    const end = unit < ASCII_END - 1 ? ASCII_END : END;
    if (unit < end - 1) return proper(from.slice(0, at) + String.fromCharCode((unit + end) >> 1), from, to);
  }
  return undefined;
}

/** The smallest text after everything that starts like this one up to `length`. */
export function behind(text: string, length: number): string | undefined {
  const unit = text.charCodeAt(length - 1);
  return unit < END ? proper(text.slice(0, length - 1) + String.fromCharCode(unit + 1), text) : undefined;
}

/** Space: keys have no control characters. */
const FIRST = 0x20;
/** Most keys have only such characters. For others the guesses are coarse, and still correct. */
const ASCII_END = 0x7f;
const END = 0xd7ff;

function unitAt(text: string, at: number, otherwise: number): number {
  return at < text.length ? text.charCodeAt(at) : otherwise;
}

/** Without characters that keys cannot have, and without half of one: the service may refuse them in a query, too. */
function proper(text: string, from: string, to?: string): string | undefined {
  const allowed = Array.from(text, (char) => (isInKeys(char) ? char : '\u00a0')).join('');
  return allowed > from && (to === undefined || allowed < to) ? allowed : undefined;
}

function isInKeys(char: string): boolean {
  const unit = char.codePointAt(0)!;
  return (
    unit >= FIRST && !(unit >= 0x7f && unit < 0xa0) && !(unit >= 0xd800 && unit < 0xe000) && !'/\\#?'.includes(char)
  );
}
