import type { JobContext } from '#app/job-context.ts';
import { stillInSource } from '#domain/run/comparison.ts';
import { incompleteness } from '#domain/run/completeness.ts';
import { kindOfPath } from '#domain/run/control-paths.ts';
import { heldTasks } from '#domain/run/held-tasks.ts';
import { NOT_LOOKED_FOR, type NotPreserved } from '#domain/run/not-preserved.ts';
import { unmatchedIn } from '#domain/run/nothing-matched.ts';
import { isNote } from '#domain/run/placed-part.ts';
import { isSkip, type Problem, type ProblemCode, problemOf } from '#domain/run/problems.ts';
import { partEntries, reportOf } from '#domain/run/report.ts';
import {
  isBackup,
  type PartEntry,
  type RunRef,
  type RunReport,
  type RunStatus,
  type RunSummary,
  retriedRun,
} from '#domain/run/run.ts';
import { SUMMARY_FORMAT } from '#domain/run/stored-format.ts';
import { addTally, emptyTally, isAccessRefused } from '#domain/run/tally.ts';
import { tableOfTask, taskKey } from '#domain/run/task-name.ts';
import type { Findings, PublishRunInput } from './run-findings.ts';
import { unusedGlobs } from './unused-globs.ts';

/** The summary, from the parts and problems. */
export function judgeRun(
  input: PublishRunInput,
  context: JobContext,
  findings: Findings,
  requests: Record<string, number>,
  now: Date,
): RunSummary {
  const { run } = input;
  const { sound, compared, earlier } = findings;
  const problems = [...input.problems, ...unreadPrevious(findings)];
  const troubled = new Set(input.problems.map(({ container }) => container).filter((name) => name !== undefined));
  const reason = input.cancelled ? undefined : missing(input, findings, troubled);
  if (reason !== undefined) problems.push(problemOf('inconsistent', 0, undefined, reason));
  const status = statusOf(input, findings, troubled, reason);
  if (status === 'failed' && selectsNothing(input, findings)) {
    problems.push(problemOf('nothing-matched', 0, undefined, 'The run selects nothing of what is there'));
  }
  problems.push(...(input.remarks ?? []));
  // A run that has not listed everything does not know.
  const isListed = !input.cancelled && reason === undefined && !selectsNothing(input, findings);
  if (isListed) problems.push(...unusedGlobs(input, context, findings.sound));
  const report: RunReport = reportOf(run, findings.parts, { status, now, finishedAt: now, problems, requests });
  const reported = new Set(report.containers.map(({ container }) => container));
  const problemsOf = Map.groupBy(problems, ({ container }) => container);
  for (const name of troubled) {
    if (reported.has(name)) continue;
    const own = problemsOf.get(name) ?? [];
    report.containers.push({
      container: name,
      destination: '',
      status: own.every(isSkip) ? 'skipped' : 'failed',
      counts: { listed: 0, copied: 0, unchanged: 0, skipped: 0, failed: 0 },
      bytes: { listed: 0, copied: 0 },
      requests: {},
      problems: own,
    });
    report.problems.push(...own);
  }
  for (const skipped of findings.skippedEarlier) {
    report.containers.push(skipped);
    report.problems.push(...skipped.problems);
  }
  const restorePoint =
    isBackup(run.mode) && !run.dryRun && (status === 'succeeded' || status === 'completed-with-failures');
  const parts = run.dryRun ? [] : [...earlier, ...partEntries(sound)];
  return {
    format: SUMMARY_FORMAT,
    ...(restorePoint ? withHeld(report, parts) : report),
    source: context.source.endpoint,
    vault: context.vault.endpoint,
    destination: { container: context.job.destination.container, prefix: context.job.destination.prefix },
    restorePoint,
    parts,
    ...(findings.previous && { comparedWith: findings.previous.id }),
    compared: run.dryRun ? [] : compared,
    ...(findings.properties.length > 0 && { properties: findings.properties }),
    ...(restorePoint && { notPreserved: notPreservedIn(report, findings) }),
  };
}

function statusOf(
  { run, cancelled, problems, containers }: PublishRunInput,
  findings: Findings,
  troubled: ReadonlySet<string>,
  reason: string | undefined,
): RunStatus {
  if (cancelled) return 'cancelled';
  const isFailed =
    reason !== undefined ||
    selectsNothing({ run, problems }, findings) ||
    problems.some(({ container }) => container === undefined) ||
    (troubled.size > 0 && troubled.size >= containers);
  if (isFailed) return 'failed';
  const { sound, compared } = findings;
  // Notes of another execution may have failures that the manifest does not have.
  const written = sound.filter(({ path }) => !isNote(path));
  const isIncomplete =
    !problems.every(isSkip) ||
    unreadPrevious(findings).length > 0 ||
    written.some(({ tally }) => tally.failed > 0 || (tally.compared && tally.problems.damaged !== undefined)) ||
    written.some(({ tally }) => isAccessRefused(tally)) ||
    compared.some((part) => stillInSource(part) > 0);
  return isIncomplete ? 'completed-with-failures' : 'succeeded';
}

/** Whether a backup or restore selects nothing although there is something: it would succeed with nothing done. */
function selectsNothing({ run, problems }: Pick<PublishRunInput, 'run' | 'problems'>, { sound }: Findings): boolean {
  const selects = run.mode === 'full' || run.mode === 'incremental' || run.mode === 'restore';
  // A retry restores what failed. Of a container that it lists again, the earlier run may have selected nothing.
  if (!selects || retriedRun(run) !== undefined || problems.length > 0) return false;
  const sum = emptyTally('', '');
  for (const { path, tally } of sound) {
    if (['slice', 'range', 'chunk'].includes(kindOfPath(path)?.kind ?? '')) addTally(sum, tally);
  }
  return unmatchedIn(sum) !== undefined;
}

/** Of a run that found none of the restore points that the catalog lists. */
function lostPoints(lost: number): string {
  return (
    `The vault has no restore point of this job, and the catalog lists ${lost}: this run was compared with nothing. ` +
    'Restore the container "strongroom" from soft delete'
  );
}

/** If the restore point before cannot be read, what the run no longer holds is not known. */
export function unreadPrevious({ previous, lost }: Pick<Findings, 'previous' | 'lost'>): Problem[] {
  if (lost !== undefined) return [problemOf('damaged', 0, undefined, lostPoints(lost))];
  if (!previous || previous.summary) return [];
  const { id } = previous;
  const message = `Restore point ${id} cannot be read, so this run could not be compared with it`;
  return [problemOf('damaged', 0, undefined, message)];
}

/** Problems of a run whose orchestration did not come to its end. */
const UNFINISHED = new Set<ProblemCode>(['orchestration-failed', 'deployed-during-run', 'setup-changed']);

/** Why there can be no restore point, or undefined. */
function missing(input: PublishRunInput, findings: Findings, troubled: ReadonlySet<string>): string | undefined {
  // Then it is not known how much the run found, and the problem says why.
  if (input.problems.some(({ code, container }) => UNFINISHED.has(code) && container === undefined)) return undefined;
  const { sound } = findings;
  // A plan alone does not prove a scan: a scan that was cut short leaves one behind.
  const scans = sound.filter(({ path }) => ['slice', 'range'].includes(kindOfPath(path)?.kind ?? ''));
  const found = new Set(scans.map(({ tally }) => tally.container)).size;
  if (found + troubled.size !== input.containers) {
    return (
      `The run found ${input.containers} containers and tables to process, but only ${found} have outcomes and ` +
      `${troubled.size} have problems`
    );
  }
  const reason = incompleteness(sound, input.run.dryRun);
  if (reason !== undefined || input.problems.some(({ container }) => container === undefined)) return reason;
  return uncompared(input.run, findings);
}

/** What the restore point before held or owed, and this run is not compared with to the end. */
function uncompared(run: RunRef, { previous, sound, earlier, compared }: Findings): string | undefined {
  if (!previous?.summary) return undefined;
  const own = new Set(sound.map(({ tally }) => taskKey(tally.container)));
  const kept = new Set(earlier.map(({ container }) => taskKey(container)));
  const done = new Set(compared.filter(({ last }) => last).map(({ container }) => taskKey(container)));
  const left = [...heldTasks(previous.summary).keys()].find((task) => {
    const key = taskKey(task);
    if (done.has(key)) return false;
    // A retry that has nothing to do for a task leaves it as in the restore point that it completes.
    if (retriedRun(run) === previous.id && kept.has(key) && !own.has(key)) return false;
    // The entities of a table that is there only count.
    return tableOfTask(task) === undefined || !(own.has(key) || kept.has(key));
  });
  return left === undefined ? undefined : `${left} was not compared with restore point ${previous.id}`;
}

function notPreservedIn(report: RunReport, { notPreservedEarlier }: Findings): NotPreserved {
  const found = report.containers.flatMap(({ container, notPreserved }) =>
    notPreserved ? [[container, notPreserved] as const] : [],
  );
  return { containers: { ...notPreservedEarlier, ...Object.fromEntries(found) }, notLookedFor: [...NOT_LOOKED_FOR] };
}

/** With what a restore point holds: a retry also has what it takes over. */
function withHeld(report: RunReport, parts: readonly PartEntry[]): RunReport {
  const held = new Map<string, number>();
  for (const { container, copied, unchanged } of parts) {
    held.set(container, (held.get(container) ?? 0) + copied + unchanged);
  }
  return {
    ...report,
    counts: { ...report.counts, held: [...held.values()].reduce((sum, count) => sum + count, 0) },
    containers: report.containers.map((each) => ({
      ...each,
      counts: { ...each.counts, held: held.get(each.container) ?? 0 },
    })),
  };
}
