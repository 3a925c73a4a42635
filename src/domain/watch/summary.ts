import type { Scheduled } from '../run/occurrence.ts';
import { type Condition, SEVERITIES, type Severity } from './conditions.ts';
import type { JobFacts } from './facts.ts';
import type { Summary } from './notices.ts';
import { isPaused } from './pause.ts';

/** What one pass of the watch found in all vaults. */
export interface Found {
  facts: JobFacts[];
  /** Archive rules among them. */
  rules: ReadonlySet<string>;
  /** What is wrong, with its severity. */
  conditions: Condition[];
  /** Jobs and archive rules of which nothing is known now. */
  unread: string[];
}

/** A message has room for so many. */
const MOST_SHOWN = 20;
const HARMLESS: Severity = 'info';

/** How all jobs stand, or those that are named: whether all is well, and how the newest run of each ended. */
export function summaryOf(found: Found, jobs: readonly string[] | undefined, now: Date): Summary {
  const isChosen = (job: string) => jobs === undefined || jobs.includes(job);
  const facts = found.facts.filter(({ job }) => isChosen(job));
  const unread = found.unread.filter(isChosen);
  // What is wrong with an account or a channel may concern each job.
  const open = found.conditions.filter(
    ({ job, severity }) => severity !== HARMLESS && (job === undefined || isChosen(job)),
  );
  const isRule = (job: string) => found.rules.has(job);
  const all = [...facts.map(({ job }) => job), ...unread];
  const counts = [
    numbered(all.filter((job) => !isRule(job)).length, 'job'),
    numbered(all.filter(isRule).length, 'archive rule'),
  ].filter((text) => text !== undefined);
  // What has never been backed up is not well, though nothing may be expected of it, or not yet.
  const never = facts.filter(({ isWithoutBackup }) => isWithoutBackup);
  const paused = facts.filter(({ pause }) => isPaused(pause, now));
  const trouble = [
    open.length > 0 ? `${numbered(open.length, 'condition')} open` : undefined,
    unread.length > 0 ? `${numbered(unread.length, 'job')} not read` : undefined,
    never.length > 0 ? `${numbered(never.length, 'job')} without a backup` : undefined,
    paused.length > 0 ? `${paused.length} paused` : undefined,
  ].filter((text) => text !== undefined);
  const lines = [
    ...open.map(({ title }) => title),
    ...unread.map((job) => `${job}: could not be read`),
    ...facts.map((each) => lineOf(each, isRule(each.job) ? 'reconcile' : 'backup', now)),
  ];
  const more = lines.length > MOST_SHOWN ? [`and ${lines.length - MOST_SHOWN} more`] : [];
  return {
    condition: 'summary',
    severity: worstOf(open, unread.length > 0 || never.length > 0 ? 'warning' : HARMLESS),
    title:
      trouble.length > 0 ? `Not all is well: ${trouble.join(', ')}` : `All is well: ${counts.join(', ') || '0 jobs'}`,
    message: [...lines.slice(0, MOST_SHOWN), ...more].join('\n'),
    hint: trouble.length > 0 ? 'See GET /api/overview.' : 'No action is needed.',
  };
}

function worstOf(open: readonly Condition[], least: Severity): Severity {
  const all = [least, ...open.map(({ severity }) => severity)];
  return SEVERITIES.findLast((each) => all.includes(each))!;
}

function numbered(count: number, word: string): string | undefined {
  if (count === 0) return undefined;
  return count === 1 ? `1 ${word}` : `${count} ${word}s`;
}

const ENDS = { succeeded: 'succeeded', 'completed-with-failures': 'completed with failures', failed: 'failed' };

function lineOf({ job, ended, pause }: JobFacts, what: Scheduled, now: Date): string {
  const run = ended[what];
  const name = what === 'reconcile' ? 'reconciliation' : 'backup';
  const how = run
    ? `the ${name} of ${run.startedAt} ${ENDS[run.status]}, ${run.listed} listed, ${run.failed} failed`
    : `no ${name} has ended yet`;
  return `${job}: ${isPaused(pause, now) ? 'paused; ' : ''}${how}`;
}
