/** A known word that a mistyped one may stand for. */
export function suggestion(typed: string, known: readonly string[]): string | undefined {
  const most = Math.max(1, Math.floor(typed.length / 3));
  const [best] = known
    .map((word) => ({ word, distance: word.startsWith(typed) && typed.length > 1 ? 1 : distance(typed, word) }))
    .filter(({ distance: far }) => far <= most)
    .sort((a, b) => a.distance - b.distance);
  return best?.word;
}

/** How many characters to change, to add, to remove, or to swap with the next. */
function distance(one: string, other: string): number {
  let before: number[] = [];
  let last = [...Array(other.length + 1).keys()];
  for (let row = 1; row <= one.length; row++) {
    const next = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      next[column] = Math.min(last[column]! + 1, next[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1));
      const isSwapped =
        row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (isSwapped) next[column] = Math.min(next[column]!, before[column - 2]! + 1);
    }
    [before, last] = [last, next];
  }
  return last[other.length]!;
}
