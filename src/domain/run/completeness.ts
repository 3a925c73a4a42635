import { laterKey, parseChunkKey } from './control-paths.ts';
import {
  byContainer,
  type ChunkPart,
  isChunk,
  isComparison,
  isRange,
  isSlice,
  type ListedPart,
  type PlacedPart,
  type RangePart,
  type SlicePart,
} from './placed-part.ts';
import type { Tally } from './tally.ts';

/**
 * Why the parts do not make a complete restore point, or undefined if they do: every slice is there up to the last one,
 * every planned copy has an outcome, and the key ranges of a table cover all of its keys.
 */
export function incompleteness(parts: readonly ListedPart[], dryRun: boolean): string | undefined {
  for (const [container, own] of byContainer(parts)) {
    const reason = isGone(own) ? undefined : incompletenessOf(own, dryRun);
    if (reason !== undefined) return `container ${container}: ${reason}`;
  }
  return undefined;
}

/** The same, for the parts of one container or table. */
export function incompletenessOf(parts: readonly PlacedPart[], dryRun: boolean): string | undefined {
  const ranges = parts.filter(isRange);
  if (ranges.length > 0) return uncoveredKeys(ranges);
  const slices = parts.filter(isSlice).sort((a, b) => indexOf(a) - indexOf(b));
  if (slices.length === 0) return 'the scan left no part';
  const outcomes = outcomesBySlice(parts.filter(isChunk));
  if (typeof outcomes === 'string') return outcomes;
  for (const [index, slice] of slices.entries()) {
    const isLast = index === slices.length - 1;
    const settled = outcomes.get(index) ?? 0;
    const reason = incompleteSlice(slice, index, isLast) ?? missingOutcomes(slice, index, settled, dryRun);
    if (reason !== undefined) return reason;
    outcomes.delete(index);
  }
  for (const slice of outcomes.keys()) return `slice part ${slice} is missing`;
  return undefined;
}

/** Whether the run only compared the container or table, of which the source or the job has nothing any more. */
export function isGone(parts: readonly PlacedPart[]): boolean {
  return parts.length > 0 && parts.every(isComparison);
}

/** Whether the run has listed everything that the container or table has. */
export function isListed(parts: readonly PlacedPart[]): boolean {
  const ranges = parts.filter(isRange);
  if (ranges.length > 0) return uncoveredKeys(ranges) === undefined;
  return parts.some((part) => isSlice(part) && part.tally.last);
}

/**
 * Why the key ranges do not cover all keys of a table exactly once, or undefined if they do. Each range must start with
 * the bound that another one ends with. Bounds are only compared for equality, so no order of keys has to be known.
 */
function uncoveredKeys(parts: readonly RangePart[]): string | undefined {
  const covering = parts.flatMap(({ key, tally }) => (tally.keys ? [{ key, tally, keys: tally.keys }] : []));
  const byStart = new Map<string, (typeof covering)[number]>();
  for (const part of covering) {
    const [after] = part.keys;
    const other = byStart.get(after);
    if (other) return `parts ${other.key} and ${part.key} start with the same key`;
    byStart.set(after, part);
  }
  let at = '';
  for (let followed = 0; followed < covering.length; followed++) {
    const part = byStart.get(at);
    if (!part) return 'a key range was not read';
    const { listed, copied, unchanged, failed, planned } = part.tally;
    if (listed !== copied + unchanged + failed + planned) return `part ${part.key} does not add up`;
    at = part.keys[1];
    if (at !== '') continue;
    // This range reaches the end of the table.
    return followed === covering.length - 1 ? undefined : 'some keys were read more than once';
  }
  return 'the last keys were not read';
}

function indexOf({ key }: SlicePart): number {
  return Number.parseInt(key, 10);
}

function incompleteSlice(slice: SlicePart, index: number, isLast: boolean): string | undefined {
  if (indexOf(slice) !== index) return `slice part ${index} is missing`;
  const { last = false, listed, unchanged, skipped, failed, planned } = slice.tally;
  if (last !== isLast) return `slice part ${index} ${last ? 'is followed by others' : 'is not the last'}`;
  return listed === unchanged + skipped + failed + planned ? undefined : `slice part ${index} does not add up`;
}

function missingOutcomes(
  { tally: { planned } }: SlicePart,
  index: number,
  count: number,
  dryRun: boolean,
): string | undefined {
  if (!dryRun && count !== planned) {
    return `slice part ${index} has ${planned} blobs to copy, and ${count} of them have an outcome`;
  }
  return undefined;
}

/** How many planned copies of each slice have an outcome, or why that cannot be determined. */
function outcomesBySlice(parts: readonly ChunkPart[]): Map<number, number> | string {
  const later = new Map(parts.filter(({ key }) => !parseChunkKey(key)).map(({ key, tally }) => [key, tally]));
  const pieces = parts
    .flatMap(({ key, tally }) => {
      const place = parseChunkKey(key);
      return place ? [{ key, tally, ...place }] : [];
    })
    .sort((a, b) => a.slice - b.slice || a.chunk - b.chunk || a.from - b.from);
  const outcomes = new Map<number, number>();
  let end: { slice: number; chunk: number; at: number } | undefined;
  for (const { key, tally, slice, chunk, from } of pieces) {
    const pending = tally.later?.items ?? 0;
    if (outcomesIn(tally) + pending !== tally.planned) return `part ${key} does not add up`;
    if (pending > 0) {
      const rest = later.get(laterKey(key));
      later.delete(laterKey(key));
      if (!rest) return `part ${key} has ${pending} pending copies, and they have no outcome`;
      if (outcomesIn(rest) !== pending || rest.planned !== pending) return `part ${laterKey(key)} does not add up`;
    }
    // The pieces of a chunk follow each other: one that overlaps another could make up for a missing one.
    if (end?.slice !== slice || end.chunk !== chunk) end = { slice, chunk, at: 0 };
    if (from !== end.at) return `part ${key} does not follow the part before it`;
    end.at += tally.planned;
    outcomes.set(slice, (outcomes.get(slice) ?? 0) + tally.planned);
  }
  for (const key of later.keys()) return `part ${key} belongs to no other part`;
  return outcomes;
}

function outcomesIn({ copied, unchanged, skipped, failed, removed = 0, unwanted = 0 }: Tally): number {
  return copied + unchanged + skipped + failed + removed + unwanted;
}
