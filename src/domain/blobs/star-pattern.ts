/** Patterns with stars, each for any run of characters, or none. Nothing else is special. */

export function isLiteral(pattern: string): boolean {
  return !pattern.includes('*');
}

/** Length of the shortest name that matches. */
export function shortest(pattern: string): number {
  return pattern.replaceAll('*', '').length;
}

/**
 * Whether a name matches a pattern that has a star, in at most pattern × name steps and without backtracking: each
 * piece is taken where it first appears.
 */
export function fits(pattern: string, name: string): boolean {
  const pieces = pattern.split('*');
  const head = pieces.shift()!;
  const tail = pieces.pop()!;
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false;
  let at = head.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= name.length - tail.length;
}
