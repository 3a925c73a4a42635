import type { Included } from './included.ts';
import type { PatternSearch } from './pattern-search.ts';
import { type Problem, problemOf } from './problems.ts';
import type { Tally } from './tally.ts';
import { tableOfTask } from './task-name.ts';
import type { Unmatched } from './unmatched.ts';

/** What there is, if the counts of a task show that nothing of it was selected. */
export function unmatchedIn({ listed, unwanted = 0, unmatched }: Tally): Unmatched | undefined {
  if (unmatched === undefined || listed !== unwanted) return undefined;
  const count = unmatched.count + unwanted;
  return count > 0 ? { ...unmatched, count } : undefined;
}

export function nothingMatched(task: string, { count, example }: Unmatched): Problem {
  const table = tableOfTask(task);
  const items = count === 1 ? (table === undefined ? 'blob' : 'entity') : table === undefined ? 'blobs' : 'entities';
  const such = example === undefined ? '' : `, such as ${JSON.stringify(example)}`;
  const message = `${table ?? task}: nothing is selected of ${count.toLocaleString('en-US')} ${items} or more${such}`;
  return problemOf('nothing-matched', count, task, message);
}

/** How many patterns a message names. */
const MOST_NAMED = 20;

/** The remark on patterns of containers or tables that match nothing: none, if each matches something. */
export function patternsUnmatched(what: 'container' | 'table', { left, example }: PatternSearch): Problem[] {
  if (left.length === 0) return [];
  const there = example === undefined ? `there is no ${what}` : `there is ${JSON.stringify(example)}`;
  return [problemOf('pattern-unmatched', 0, undefined, `No ${what} matches ${listed(left)}; ${there}`)];
}

/** The remark on globs of "include" that select nothing. Where there is no blob at all, no glob is wrong. */
export function globsUnmatched(include: readonly string[], { globs, example }: Included): Problem[] {
  if (globs.length !== include.length || !globs.includes('0') || example === undefined) return [];
  const left = include.filter((_, at) => globs[at] === '0');
  const message = `"include" selects no blob by ${listed(left)}; there is ${JSON.stringify(example)}`;
  return [problemOf('pattern-unmatched', 0, undefined, message)];
}

function listed(patterns: readonly string[]): string {
  const named = patterns.slice(0, MOST_NAMED).map((pattern) => JSON.stringify(pattern));
  const more = patterns.length - named.length;
  return more > 0 ? `${named.join(', ')} or ${more} more` : named.join(' or ');
}
