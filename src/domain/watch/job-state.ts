import type { Scheduled } from '../run/occurrence.ts';
import type { Condition } from './conditions.ts';
import type { JobFacts } from './facts.ts';
import { isPaused } from './pause.ts';

/** The conditions of its runs that a state names, the worst first. */
const OF_RUNS = ['failed', 'not-started', 'overdue', 'incomplete'] as const;

export const JOB_STATES = [
  ...(['unknown', 'stalled', 'running', 'paused'] as const),
  ...OF_RUNS,
  ...(['due', 'never', 'unwatched', 'ok'] as const),
];
/**
 * How the backups of a job, or the reconciliations of an archive rule, stand. `unknown`: its vault or its lock cannot
 * be read. `due`: not done yet, within the grace. `never`: nothing has run. `unwatched`: nothing is expected.
 */
export type JobState = (typeof JOB_STATES)[number];

/**
 * The state of a job in one word: what it does now comes before how the last run ended. Everything else that is wrong
 * with it is a condition. `main` is what the job is for.
 */
export function jobStateOf(
  facts: JobFacts,
  conditions: readonly Condition[],
  { main, now }: { main: Scheduled; now: Date },
): JobState {
  const isOpen = (condition: string) => conditions.some(({ id }) => id === `${condition}/${main}/${facts.job}`);
  if (isOpen('stalled')) return 'stalled';
  if (facts.running.some(({ what }) => what === main)) return 'running';
  if (isPaused(facts.pause, now)) return 'paused';
  const standing = facts.standings[main]?.state;
  const wrong = OF_RUNS.find(isOpen);
  if (wrong !== undefined) return wrong;
  if (standing === 'due') return 'due';
  if (facts.ended[main] === undefined) return 'never';
  return standing === 'unwatched' ? 'unwatched' : 'ok';
}
