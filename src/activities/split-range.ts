import { behind, between } from '../domain/between-keys.ts';
import type { Problem, RunRef } from '../domain/run.ts';
import type { EntityKey, KeyBound, KeyRange } from '../domain/table-key.ts';
import { tableOfShare } from '../domain/table-name.ts';
import { countingRequests, type RequestCounts } from '../storage/requests.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';

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
export function makeSplitRange(deps: Dependencies) {
  return async function splitRange({ run, container, range, pieces }: SplitRangeInput): Promise<SplitRangeResult> {
    const { job } = workplaceOf(deps, run.job);
    const source = deps.tables(job.source.account);
    const table = tableOfShare(container)!;
    const requests: RequestCounts = {};
    return countingRequests(requests, async () => {
      let questions = MOST_QUESTIONS;
      const firstIn = async (within: KeyRange): Promise<EntityKey | undefined> => {
        if (questions-- <= 0) return undefined;
        return (await source.readEntities(table, { ...within, keysOnly: true, limit: 1 })).entities[0]?.key;
      };
      const first = await firstIn(range);
      if (!first) return { ranges: [range], requests };
      const cuts = await cutsAlong(partitionsOf(range, first), firstIn, pieces);
      if (cuts.length === 0) cuts.push(...(await cutsAlong(rowsOf(range, first), firstIn, pieces)));
      const ends = [...cuts, range.upTo];
      const ranges = ends.map((upTo, index): KeyRange => {
        const after = index === 0 ? range.after : cuts[index - 1];
        return { ...(after && { after }), ...(upTo && { upTo }) };
      });
      return { ranges, requests };
    });
  };
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
  const last = axis.high ?? (await nearTheEnd(axis.low, nextBehind));
  if (last === undefined || last <= axis.low) return [];
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

/** Looks for a key far behind this one: the service tells the first of a range, and never the last. */
async function nearTheEnd(
  low: string,
  nextBehind: (text: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  let far: string | undefined;
  let end: string | undefined;
  // Keys mostly begin alike: where they differ first is found letter by letter.
  for (let length = 1; length <= low.length && far === undefined; length++) {
    const guess = behind(low, length);
    if (guess === undefined) continue;
    far = await nextBehind(guess);
    if (far === undefined) end = guess;
  }
  if (far === undefined && (end !== undefined || low === '')) far = await nextBehind(low);
  for (let tries = 16; tries > 0 && far !== undefined; tries--) {
    const guess: string | undefined =
      end === undefined && far < LAST_OF_ASCII ? LAST_OF_ASCII : between(far, end ?? LAST);
    if (guess === undefined) break;
    const next = await nextBehind(guess);
    if (next === undefined) end = guess;
    else far = next;
  }
  return far;
}
