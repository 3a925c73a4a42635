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
  const items = table === undefined ? 'blobs' : 'entities';
  const such = example === undefined ? '' : `, such as ${JSON.stringify(example)}`;
  const message = `${table ?? task}: nothing is selected of ${count.toLocaleString('en-US')} ${items} or more${such}`;
  return problemOf('nothing-matched', count, task, message);
}
