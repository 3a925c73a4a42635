import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { RequestCounts } from '#domain/run/request-counts.ts';
import type { RunRef } from '#domain/run/run.ts';
import { behind, between } from '#domain/tables/key-midpoint.ts';
import type { EntityKey, KeyBound, KeyRange } from '#domain/tables/table-key.ts';
import { countingRequests } from '#storage/requests.ts';
import { sourceTableOf } from './source-table.ts';

export interface SplitRangeInput {
  run: RunRef;
  container: string;
  range: KeyRange;
  /** How many key ranges are wanted. */
  pieces: number;
}

export interface SplitRangeResult {
  /** One after another, they are the whole key range; there may be only one. */
  ranges?: KeyRange[];
  requests?: RequestCounts;
  problem?: Problem;
}

/** How many probes are sent at most. Each is one small request. */
const MOST_PROBES = 64;

type FirstKeyIn = (range: KeyRange) => Promise<EntityKey | undefined>;

/**
 * Splits a key range of a table by asking for the first key after one guess after another: between partitions, or
 * between rows if only one partition is left. No request reports how many entities lie between two keys, so the key
 * ranges may differ much; the rest of the longest one is split again.
 */
export async function splitRange(
  deps: Dependencies,
  { run, container, range, pieces }: SplitRangeInput,
): Promise<SplitRangeResult> {
  const { job } = jobContextOf(deps, run.job);
  const { source, table } = sourceTableOf({ deps, job, container });
  const requests: RequestCounts = {};
  return countingRequests(requests, async () => {
    let probes = MOST_PROBES - pieces;
    const firstKeyIn: FirstKeyIn = async (within) => {
      if (probes-- <= 0) return undefined;
      return (await source.readEntities(table, { ...within, keysOnly: true, limit: 1 })).entities[0]?.key;
    };
    const first = await firstKeyIn(range);
    if (!first) return { ranges: [range], requests };
    const cuts = await cutsAlong(partitionsOf(range, first), firstKeyIn, pieces);
    if (cuts.length === 0) cuts.push(...(await cutsAlong(rowsOf(range, first), firstKeyIn, pieces)));
    probes = pieces;
    return { ranges: await confirmed(range, cuts, firstKeyIn), requests };
  });
}

/**
 * The key ranges between those cuts that the service finds keys between. So they follow each other in the service's own
 * order, whichever it is. If key ranges overlapped, the rests of two could begin with the same key.
 */
async function confirmed(range: KeyRange, cuts: readonly KeyBound[], firstKeyIn: FirstKeyIn): Promise<KeyRange[]> {
  const rangeBetween = (after: KeyBound | undefined, upTo: KeyBound | undefined): KeyRange => ({
    ...(after && { after }),
    ...(upTo && { upTo }),
  });
  const ranges: KeyRange[] = [];
  let from = range.after;
  for (const cut of cuts) {
    const next = rangeBetween(from, cut);
    if (!(await firstKeyIn(next))) continue;
    ranges.push(next);
    from = cut;
  }
  while (ranges.length > 0 && !(await firstKeyIn(rangeBetween(from, range.upTo)))) from = ranges.pop()!.after;
  return [...ranges, rangeBetween(from, range.upTo)];
}

/** Texts to cut between: the partitions of a key range, or the rows of its first partition. */
interface Axis {
  low: string;
  /** Absent if it has no end. */
  high?: string;
  bound(text: string): KeyBound;
  of(key: EntityKey): string | undefined;
  upTo: KeyBound | undefined;
}

function partitionsOf({ upTo }: KeyRange, first: EntityKey): Axis {
  return {
    low: first.partition,
    ...(upTo && { high: upTo.partition }),
    bound: (partition) => ({ partition }),
    of: ({ partition }) => partition,
    upTo,
  };
}

function rowsOf({ upTo }: KeyRange, { partition, row }: EntityKey): Axis {
  const last = upTo?.partition === partition ? upTo : { partition };
  return {
    low: row,
    ...(last.row !== undefined && { high: last.row }),
    bound: (text) => ({ partition, row: text }),
    of: (key) => key.row,
    upTo: last,
  };
}

/** Bounds to cut at, in order: at most one less than the key ranges that are wanted. */
async function cutsAlong(axis: Axis, firstKeyIn: FirstKeyIn, pieces: number): Promise<KeyBound[]> {
  const nextBehind = async (text: string) => {
    const key = await firstKeyIn({ after: axis.bound(text), ...(axis.upTo && { upTo: axis.upTo }) });
    return key && axis.of(key);
  };
  const second = await nextBehind(axis.low);
  if (second === undefined) return [];
  const last = axis.high ?? (await nearTheEnd(axis.low, second, nextBehind));
  if (last <= axis.low) return [];
  const cuts: string[] = [];
  const open: [from: string, to: string][] = [[axis.low, last]];
  for (let tries = pieces * 4; tries > 0 && open.length > 0 && cuts.length < pieces - 1; tries--) {
    const [from, to] = open.shift()!;
    const guess = between(from, to);
    if (guess === undefined) continue;
    const next = await nextBehind(guess);
    if (next === undefined || next > to || (next === to && to !== last)) {
      // Nothing lies between the guess and the end of this interval.
      open.unshift([from, guess]);
    } else {
      cuts.push(guess);
      open.push([from, guess], [next, to]);
    }
  }
  return cuts.sort((a, b) => (a < b ? -1 : 1)).map(axis.bound);
}

/** Nearly all keys come before the first of these, and all come before the second. */
const LAST_OF_ASCII = '~';
const LAST = '\ud7ff';
const PROBES_OF_END = 16;

type NextBehind = (text: string) => Promise<string | undefined>;

/**
 * Finds a text near the end: the service reports the first key of a range, never the last. `second` comes after `low`.
 */
async function nearTheEnd(low: string, second: string, nextBehind: NextBehind): Promise<string> {
  let { far, end } = await behindPrefixes(low, second, nextBehind);
  for (let tries = PROBES_OF_END; tries > 0; tries--) {
    const guess: string | undefined =
      end === undefined && far < LAST_OF_ASCII ? LAST_OF_ASCII : between(far, end ?? LAST);
    if (guess === undefined) break;
    const next = await nextBehind(guess);
    if (next === undefined) end = guess;
    else far = next;
  }
  return far;
}

/**
 * Finds, by bisection, the shortest prefix of the first text that others come after: most keys have a common prefix,
 * and some of these are long. `far` is a text that exists; none comes after `end`.
 */
async function behindPrefixes(
  low: string,
  second: string,
  nextBehind: NextBehind,
): Promise<{ far: string; end: string | undefined }> {
  let far = second;
  let end: string | undefined;
  const lengths = Array.from({ length: low.length }, (_, index) => index + 1);
  const guesses = lengths.map((length) => behind(low, length)).filter((guess) => guess !== undefined);
  for (let [from, to] = [0, guesses.length]; from < to; ) {
    const middle = (from + to) >> 1;
    const next = await nextBehind(guesses[middle]!);
    if (next === undefined) {
      end = guesses[middle]!;
      from = middle + 1;
    } else {
      far = next;
      to = middle;
    }
  }
  return { far, end };
}
