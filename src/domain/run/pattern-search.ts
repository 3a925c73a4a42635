/**
 * The search, page by page through the names of an account, for patterns that match none of them. Small, because
 * orchestrations pass it on.
 */
export interface PatternSearch {
  /** The patterns that have matched nothing so far. */
  left: string[];
  /** One of the names: one that no pattern matches, if there is any. */
  example?: string;
  /** Whether a pattern matches the example. */
  isExampleMatched?: true;
}

/** The search after some more names. `matches` must accept `*`, which matches every name that a pattern can match. */
export function searchOn(
  { left, ...search }: PatternSearch,
  patterns: readonly string[],
  names: readonly string[],
  matches: (pattern: string, name: string) => boolean,
): PatternSearch {
  const stillLeft = left.filter((pattern) => !names.some((name) => matches(pattern, name)));
  if (search.example !== undefined && !search.isExampleMatched) return { left: stillLeft, ...search };
  const possible = names.filter((name) => matches('*', name));
  const example = possible.find((name) => !patterns.some((pattern) => matches(pattern, name)));
  if (example !== undefined) return { left: stillLeft, example };
  const matched = search.example ?? possible[0];
  return { left: stillLeft, ...(matched !== undefined && { example: matched, isExampleMatched: true }) };
}
