import { hintFor, PROBLEMS, type ProblemCode, problemOf } from '../run/problems.ts';
import { type Condition, type Severity, sentenceOf, wordOf } from './conditions.ts';
import type { KnownRun } from './known-run.ts';

/** What is reported once, when a run has ended, and is never open. */
export const RUN_ENDS = ['restored', 'pruned', 'cancelled'] as const;
export type RunEndName = (typeof RUN_ENDS)[number];

/** The end of a run. Its id has that of the run, and `since` is when it ended. */
export type RunEnd = Condition<RunEndName>;

/** Which ends of runs were reported, so that each is reported once. */
export interface ReportedEnds {
  /** All ends up to this time, and those from before the watch. ISO 8601. */
  until: string;
  /** Of those after it: when each ended, by the id of its run. */
  runs: Record<string, string>;
}

/** A watch without a memory reports the ends of so long before again, under the same ids, and nothing older. */
const BEFORE_MS = 24 * 3_600_000;
/** So many stay in memory. Then the oldest are those up to a time. */
const MOST_KNOWN = 300;

/** The ends that were not reported yet, in their order, and the memory with them. `runs` may be known already. */
export function newRunEnds(
  before: ReportedEnds | undefined,
  runs: readonly KnownRun[],
  now: Date,
): { ends: RunEnd[]; reported: ReportedEnds } {
  const first = new Date(now.getTime() - BEFORE_MS).toISOString();
  const known = before ?? { until: first, runs: {} };
  // From before a clock was set back, it would hide all ends until it has passed.
  const until = known.until > now.toISOString() ? first : known.until;
  const found = new Map<string, RunEnd>();
  for (const run of runs) {
    const end = endOf(run);
    if (end && end.since > until && known.runs[run.id] === undefined) found.set(run.id, end);
  }
  const ends = [...found.values()].toSorted((a, b) => (a.since < b.since ? -1 : 1));
  if (ends.length === 0) return { ends, reported: until === known.until ? known : { ...known, until } };
  const all = [...Object.entries(known.runs), ...ends.map(({ run, since }) => [run!, since] as const)];
  return { ends, reported: bounded(until, all) };
}

function bounded(until: string, runs: (readonly [run: string, at: string])[]): ReportedEnds {
  const byTime = runs.toSorted(([, a], [, b]) => (a < b ? -1 : 1));
  const oldest = byTime.slice(0, -MOST_KNOWN).at(-1);
  return { until: oldest?.[1] ?? until, runs: Object.fromEntries(byTime.slice(-MOST_KNOWN)) };
}

/** What a channel gets about the end of a run; undefined if it is none of these. Dry runs change nothing. */
function endOf(run: KnownRun): RunEnd | undefined {
  const { id, job, mode, status, dryRun, finishedAt, counts = {} } = run;
  if (dryRun || finishedAt === undefined) return undefined;
  const end = (condition: RunEndName, severity: Severity, title: string): RunEnd => ({
    ...{ id: `${condition}/${id}`, condition, severity, job, run: id, since: finishedAt },
    title: `${job}: ${title}`,
    ...wordsOf(run, finishedAt),
  });
  if (status === 'cancelled') return end('cancelled', 'info', `a ${wordOf(mode)} was cancelled`);
  if (mode === 'restore') {
    // Someone waits for it, and no later run makes up for it.
    if (status === 'failed') return end('restored', 'error', 'a restore failed');
    if (status === 'succeeded') return end('restored', 'info', 'a restore succeeded');
    if (status !== 'completed-with-failures') return undefined;
    const { failed = 0, listed = 0 } = counts;
    // A container may have failed as a whole.
    const how = failed > 0 ? `${failed} of ${listed} failed in a restore` : 'a restore is incomplete';
    return end('restored', 'warning', how);
  }
  const removed = counts.removed ?? 0;
  const isEnded = status === 'succeeded' || status === 'completed-with-failures' || status === 'failed';
  if (mode !== 'prune' || !isEnded || removed === 0) return undefined;
  return end('pruned', 'info', `a prune deleted ${removed === 1 ? '1 object' : `${removed} objects`}`);
}

function wordsOf({ id, job, status, mode, counts = {}, problem }: KnownRun, finishedAt: string) {
  const report = `See GET /api/runs/${id}.`;
  const { listed = 0, copied = 0, unchanged = 0, skipped = 0, failed = 0 } = counts;
  const did =
    mode === 'prune'
      ? `deleted ${counts.removed ?? 0}, failed ${failed}`
      : `listed ${listed}, copied ${copied}, unchanged ${unchanged}, skipped ${skipped}, failed ${failed}`;
  const worst =
    status !== 'succeeded' && status !== 'cancelled' && problem && problem.code in PROBLEMS
      ? problemOf(problem.code as ProblemCode, problem.count, problem.container)
      : undefined;
  return {
    message: `Run ${id} ended at ${finishedAt}: ${did}.${worst ? ` ${sentenceOf(worst)}` : ''}`,
    hint: worst ? `${hintFor({ id, job }, worst.hint)} ${report}` : report,
  };
}
