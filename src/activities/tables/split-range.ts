import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { Problem } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import { tableOfTask } from '#domain/run/task-name.ts';
import { behind, between } from '#domain/tables/key-midpoint.ts';
import type { EntityKey, KeyBound, KeyRange } from '#domain/tables/table-key.ts';
import { countingRequests, type RequestCounts } from '#storage/requests.ts';

export interface SplitRangeInput {
  run: RunRef;
  container: string;
  range: KeyRange;
  /** How many stretches are wanted. */
  pieces: number;
}

export interface SplitRangeResult {
  /** One after another all of the range; as few as one. */
  ranges?: KeyRange[];
  requests?: RequestCounts;
  problem?: Problem;
}

/** Questions that are asked at most: each is one small request. */
const MOST_QUESTIONS = 64;

/**
 * Cuts a stretch of a table into several, by asking for the first key behind one guess after another: partitions from each other, and
 * where only one is left, its rows. How many entities lie between two keys nobody can tell, so the stretches may differ much; what is
 * left of the longest is cut again.
 */
export async function splitRange(
  deps: Dependencies,
  { run, container, range, pieces }: SplitRangeInput,
): Promise<SplitRangeResult> {
  const { job } = jobContextOf(deps, run.job);
  const source = deps.tables(job.source.account);
  const table = tableOfTask(container)!;
  const requests: RequestCounts = {};
  return countingRequests(requests, async () => {
    let questions = MOST_QUESTIONS - pieces;
    const firstIn = async (within: KeyRange): Promise<EntityKey | undefined> => {
      if (questions-- <= 0) return undefined;
      return (await source.readEntities(table, { ...within, keysOnly: true, limit: 1 })).entities[0]?.key;
    };
    const first = await firstIn(range);
    if (!first) return { ranges: [range], requests };
    const cuts = await cutsAlong(partitionsOf(range, first), firstIn, pieces);
    if (cuts.length === 0) cuts.push(...(await cutsAlong(rowsOf(range, first), firstIn, pieces)));
    questions = pieces;
    return { ranges: await confirmed(range, cuts, firstIn), requests };
  });
}

/**
 * The stretches between those cuts that the service finds keys between, so that they follow each other in its own order, whatever that
 * is: where stretches lay over each other, what is left of two could begin with the same key.
 */
async function confirmed(
  range: KeyRange,
  cuts: readonly KeyBound[],
  firstIn: (range: KeyRange) => Promise<EntityKey | undefined>,
): Promise<KeyRange[]> {
  const between = (after: KeyBound | undefined, upTo: KeyBound | undefined): KeyRange => ({
    ...(after && { after }),
    ...(upTo && { upTo }),
  });
  const ranges: KeyRange[] = [];
  let from = range.after;
  for (const cut of cuts) {
    const stretch = between(from, cut);
    if (!(await firstIn(stretch))) continue;
    ranges.push(stretch);
    from = cut;
  }
  while (ranges.length > 0 && !(await firstIn(between(from, range.upTo)))) from = ranges.pop()!.after;
  return [...ranges, between(from, range.upTo)];
}

/** What is cut along: the partitions of a range, or the rows of its first one. */
interface Axis {
  low: string;
  /** Absent where it has no end. */
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

/** Places to cut at, in order: at most one less than the stretches that are wanted. */
async function cutsAlong(
  axis: Axis,
  firstIn: (range: KeyRange) => Promise<EntityKey | undefined>,
  pieces: number,
): Promise<KeyBound[]> {
  const nextBehind = async (text: string) => {
    const key = await firstIn({ after: axis.bound(text), ...(axis.upTo && { upTo: axis.upTo }) });
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
      // Nothing between the guess and the end of this one.
      open.unshift([from, guess]);
    } else {
      cuts.push(guess);
      open.push([from, guess], [next, to]);
    }
  }
  return cuts.sort((a, b) => (a < b ? -1 : 1)).map(axis.bound);
}

/** Nearly all keys are before the first of them, and all are before the second. */
const LAST_OF_ASCII = '~';
const LAST = '\ud7ff';

/** Looks for a key far behind this one: the service tells the first of a range, and never the last. `second` comes after `low`. */
async function nearTheEnd(
  low: string,
  second: string,
  nextBehind: (text: string) => Promise<string | undefined>,
): Promise<string> {
  let far = second;
  let end: string | undefined;
  // Keys mostly begin alike, some of them for long: the shortest beginning that others are behind is found by halving.
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
  for (let tries = 16; tries > 0; tries--) {
    const guess: string | undefined =
      end === undefined && far < LAST_OF_ASCII ? LAST_OF_ASCII : between(far, end ?? LAST);
    if (guess === undefined) break;
    const next = await nextBehind(guess);
    if (next === undefined) end = guess;
    else far = next;
  }
  return far;
}
