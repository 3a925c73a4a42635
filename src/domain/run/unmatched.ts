/** What a run found in a container or table and did not select, where it selected nothing else of it. */
export interface Unmatched {
  count: number;
  /** One of the names, cut off if it is long. */
  example?: string;
}

const LONGEST_EXAMPLE = 200;

/** Adds found names, of which `example` is one. */
export function addUnmatched(into: Unmatched | undefined, count: number, example?: string): Unmatched {
  const shown = into?.example ?? example?.slice(0, LONGEST_EXAMPLE);
  return { count: (into?.count ?? 0) + count, ...(shown !== undefined && { example: shown }) };
}
