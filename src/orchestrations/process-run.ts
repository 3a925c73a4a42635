import type { OrchestrationContext, Task } from 'durable-functions';
import type { PublishRunInput } from '#activities/run/run-findings.ts';
import type { StopReason } from '#activities/run/run-guard.ts';
import type { WalkPosition } from '#domain/blobs/merge-walk.ts';
import type { PatternSearch } from '#domain/run/pattern-search.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import { addRequests, type RequestCounts } from '#domain/run/request-counts.ts';
import { carriesOutPlan, isArchiving, isBackup, type RunRef } from '#domain/run/run.ts';
import { taskKey } from '#domain/run/task-name.ts';
import { insist, type Settled, settle } from './call.ts';
import { PASSING } from './limits.ts';
import { combine, type ProcessGroupInput, type ProcessGroupResult } from './process-group.ts';

export interface ProcessRunInput {
  run: RunRef;
  /** Requests sent before the orchestration began. */
  requests: RequestCounts;
}

/** What is to be published, unless the run is superseded: then it writes nothing more. */
export type ProcessRunResult = { superseded: true } | { superseded?: undefined; findings: PublishRunInput };

/** What the run has found so far, apart from its parts. */
interface Findings {
  containers: number;
  problems: Problem[];
  remarks?: Problem[];
  requests: RequestCounts;
}

const GROUP = 50;

/** Does the work of a run of any mode: finds the containers, and works on them group by group at once. */
export function* processRun(context: OrchestrationContext): Generator<Task, ProcessRunResult, unknown> {
  const { run, requests } = context.df.getInput() as ProcessRunInput;
  const findings: Findings = { containers: 0, problems: [], requests: { ...requests } };
  const groups = yield* startGroups(context, run, findings);
  const { containers, problems } = findings;
  // Shows progress against all containers, and not only against those that happen to be listed first.
  context.df.setCustomStatus({ containers });
  const worked = combine((yield* settle(context, groups)).map(groupResult));
  if (worked.stopped === 'superseded') return { superseded: true };
  problems.push(...worked.problems);
  if (containers === 0 && problems.length === 0 && isBackup(run.mode) && !worked.stopped) {
    problems.push(problemOf('no-containers', 0));
  }
  const stopped = worked.stopped ?? (yield* finishWork(context, run, findings));
  if (stopped === 'superseded') return { superseded: true };
  // The process that publishes the run may have the setup that it began with again.
  if (stopped === 'changed') problems.push(problemOf('setup-changed', 0));
  return { findings: { run, ...findings, cancelled: stopped === 'cancelled' } };
}

/** What a group whose orchestration failed has found, is not known: its problem is one of the run. */
function groupResult(group: Settled): ProcessGroupResult {
  return 'value' in group ? (group.value as ProcessGroupResult) : { problems: [problemOf('orchestration-failed', 0)] };
}

/** Lists the containers page by page, and starts the work on each page at once. */
function* startGroups(
  context: OrchestrationContext,
  run: RunRef,
  findings: Findings,
): Generator<Task, Task[], unknown> {
  const groups: Task[] = [];
  const listed = new Set<string>();
  let from: string | undefined;
  let search: PatternSearch | undefined;
  do {
    const page = yield* insist(context, 'listContainers', { run, ...(from && { from }), ...(search && { search }) });
    addRequests(findings.requests, page.requests ?? {});
    findings.problems.push(...(page.problems ?? []), ...(page.problem ? [page.problem] : []));
    const all = page.containers ?? [];
    const present = all.filter(({ gone }) => !gone);
    for (const { container } of present) listed.add(taskKey(container));
    // What an earlier page named is not gone.
    const gone = all.filter((pair) => pair.gone && !listed.has(taskKey(pair.container)));
    const found = [...present, ...gone];
    const withProblem = (page.problems ?? []).filter(({ container }) => container !== undefined);
    findings.containers += present.length + withProblem.length;
    for (let start = 0; start < found.length; start += GROUP) {
      const input: ProcessGroupInput = { run, containers: found.slice(start, start + GROUP) };
      groups.push(context.df.callSubOrchestrator('processGroup', input));
    }
    if (page.remarks) findings.remarks = [...(findings.remarks ?? []), ...page.remarks];
    ({ next: from, search } = page);
  } while (from !== undefined);
  return groups;
}

/** The last step of a prune that carries out a plan, and of the runs of an archive rule, if there were no problems. */
function* finishWork(
  context: OrchestrationContext,
  run: RunRef,
  findings: Findings,
): Generator<Task, StopReason | undefined, unknown> {
  if (findings.problems.length > 0) return undefined;
  if (isArchiving(run.mode)) {
    // Everything is archived; the next run tidies the rest.
    const isReported = ({ code }: Problem) => !PASSING.has(code);
    const tidy = (from?: WalkPosition) => insist(context, 'tidyArchive', { run, ...(from && { from }) });
    return yield* untilDone(tidy, findings, isReported);
  }
  if (!carriesOutPlan(run)) return undefined;
  const remove = () => insist(context, 'removePoints', { run });
  const stopped = yield* untilDone<true>(remove, findings);
  if (stopped || findings.problems.length > 0) return stopped;
  const clear = (from?: number) => insist(context, 'clearOldRuns', { run, ...(from !== undefined && { from }) });
  return yield* untilDone(clear, findings);
}

interface SomeDone<Position> {
  /** Where to continue; absent when nothing is left. */
  next?: Position | undefined;
  stopped?: StopReason | undefined;
  problem?: Problem | undefined;
  requests?: RequestCounts | undefined;
}

/** Calls an activity until nothing is left. Returns why the run may not continue, if it may not. */
function* untilDone<Position>(
  doSome: (from?: Position) => Generator<Task, SomeDone<Position>, unknown>,
  { problems, requests }: Findings,
  isReported: (problem: Problem) => boolean = () => true,
): Generator<Task, StopReason | undefined, unknown> {
  let from: Position | undefined;
  do {
    const answer = yield* doSome(from);
    addRequests(requests, answer.requests ?? {});
    if (answer.stopped) return answer.stopped;
    if (answer.problem && isReported(answer.problem)) problems.push(answer.problem);
    from = answer.next;
  } while (from !== undefined);
  return undefined;
}
