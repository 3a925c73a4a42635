import type { DurableClient } from 'durable-functions';
import { OPERATIONS } from '#api/operations.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { type PointFacts, pointFacts } from '#domain/restore/point-facts.ts';
import { isRestored } from '#domain/restore/restore.ts';
import { hasRecord } from '#domain/run/chain-record.ts';
import { defined } from '#domain/run/defined.ts';
import { type Phase, phaseOf } from '#domain/run/phase.ts';
import { type PlanSummary, planSummary } from '#domain/run/plan-summary.ts';
import { hintFor, type Problem, problemOf } from '#domain/run/problems.ts';
import type { PrunePlan } from '#domain/run/prune-plan.ts';
import { reportOf } from '#domain/run/report.ts';
import { isRestorePoint } from '#domain/run/restore-point.ts';
import {
  type ContainerReport,
  pointOfRun,
  type RunRef,
  type RunReport,
  type RunSummary,
  retriedRun,
} from '#domain/run/run.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import type { RestoreTask, VerifyTask } from '#domain/run/tasks.ts';
import { verdictOf } from '#domain/verify/verdict.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, reply } from '../http/answering.ts';
import { HttpError } from '../http/http-error.ts';
import { SharedAnswers } from '../http/shared-answers.ts';
import { type FoundRun, findRun } from './find-run.ts';
import { followedBy, type LaterRun } from './followed-by.ts';
import { type HolderLife, silentFor } from './holder-life.ts';
import { uncheckedRows } from './list-rows.ts';
import { actionsOf, type RunActions } from './run-actions.ts';
import { type RunCost, runCost } from './run-cost.ts';

/** A report as the API shows it: names of blobs need another permission, so it only counts those of a request. */
type ShownRun = Omit<RunReport, 'restore' | 'verify' | 'plan'> &
  Moment & {
    restore?: ShownRestore;
    /** Of a verification that has ended: what it looked at, and what it found. */
    verdict?: string;
    verify?: ShownVerify;
    plan?: ShownPlan;
  };
type ShownPlan = PrunePlan & { summary: PlanSummary };
type ShownRestore = Omit<RestoreTask, 'names'> & { names?: number };
/** A kind of verification has no field that means nothing to it. */
type ShownVerify = Pick<VerifyTask, 'point' | 'kind'> & Partial<VerifyTask>;

/** What is true of a run at the moment, and not of its summary. */
interface Moment {
  phase: Phase;
  /** It was asked to end, and has not ended yet. */
  cancelling: boolean;
  /** When the vault last got a part or a note of it; null if it has none, or has ended. */
  progressAt: string | null;
  /** How many containers and tables it processes; null if that is not known. */
  containersTotal: number | null;
  actions: RunActions;
  cost: RunCost;
  /** What its restore point holds and lacks; null if it left none. */
  point: PointFacts | null;
  /** The runs that came of it; null if it has not ended, or if that is not known. */
  followedBy: LaterRun[] | null;
}

/** The report of a run, with what it costs, and the calls of its hints for this run. */
async function readReport(deps: Dependencies, client: DurableClient, id: string): Promise<ShownRun> {
  const found = await findRun(deps, client, id);
  const [report, actions, later] = await Promise.all([
    reportOn(deps, found),
    actionsOf(deps, found),
    laterThan(deps, found),
  ]);
  const ready = (problems: readonly Problem[]) =>
    problems.map((problem) => ({ ...problem, hint: hintFor(report, problem.hint) }));
  const containers = report.containers.map((each) => ({ ...each, problems: ready(each.problems) }));
  const { restore, verify, plan, ...shown } = report;
  const more = {
    ...(restore && { restore: shownRestore(restore) }),
    ...(verify && { verify: shownVerify(verify) }),
    ...(plan && { plan: { ...plan, summary: planSummary(plan, report) } }),
    ...{ actions, cost: runCost(deps, report), followedBy: later ?? null },
    ...defined({ verdict: found.state === 'ended' ? verdictOf(found.summary) : undefined }),
    point: found.state === 'ended' && isRestorePoint(found.summary) ? pointFacts(found.summary) : null,
  };
  return { ...shown, ...more, containers, problems: ready(report.problems) };
}

async function laterThan(deps: Dependencies, found: FoundRun): Promise<LaterRun[] | undefined> {
  if (found.state === 'running') return undefined;
  if (found.state === 'ended') return followedBy(deps, found.vault, found.summary);
  const lost = { status: 'failed' as const, problems: [problemOf('run-lost', 0)] };
  return followedBy(deps, found.vault, { ...found.run, ...lost });
}

function shownRestore({ names, ...restore }: RestoreTask): ShownRestore {
  return { ...restore, ...(names && { names: names.length }) };
}

function shownVerify({ point, kind, portion, turn, sample }: VerifyTask): ShownVerify {
  return { point, kind, ...(kind === 'deep' && { portion, turn }), ...(kind === 'drill' && { sample }) };
}

type Report = RunReport & Omit<Moment, 'actions' | 'cost' | 'point' | 'followedBy'>;

function reportOn(deps: Dependencies, found: FoundRun): Report | Promise<Report> {
  if (found.state === 'running') return reportSoFar(deps, found);
  if (found.state === 'ended') return endedReport(deps, found);
  const now = deps.now();
  const problems = [problemOf('run-lost', 0)];
  const state = { status: 'failed' as const, now, finishedAt: now, problems, requests: {} };
  return { ...reportOf(found.run, found.parts, state), ...ENDED, containersTotal: null };
}

const ENDED = { phase: 'ended' as const, cancelling: false, progressAt: null };

/** From its summary. */
async function endedReport(deps: Dependencies, found: FoundRun & { state: 'ended' }): Promise<Report> {
  const { format, source, vault, destination, restorePoint, parts, compared, properties, brake, ...report } =
    found.summary;
  const chain = hasRecord(found.summary) ? await new ChainStore(deps.blobs(found.vault)).linkOfRun(report) : undefined;
  return { ...report, ...ENDED, containersTotal: report.containers.length, ...defined({ chain }) };
}

/** From its parts so far. */
async function reportSoFar(deps: Dependencies, found: FoundRun & { state: 'running' }): Promise<Report> {
  const now = deps.now();
  const { run, control, vault, lock, containers } = found;
  const [parts, expected] = await Promise.all([control.listParts(run), expectedOf(deps, vault, run)]);
  const report = reportOf(run, parts, {
    status: 'running',
    now,
    problems: silentProblem(deps, found),
    requests: {},
    ...(expected !== undefined && { expected }),
    containers: containers ?? Number.POSITIVE_INFINITY,
  });
  const written = parts.flatMap(({ writtenAt = [] }) => writtenAt);
  return {
    ...report,
    phase: phaseOf(parts, { dryRun: run.dryRun, containers }),
    cancelling: lock.cancel,
    progressAt: written.reduce<string | null>((last, at) => (last === null || at > last ? at : last), null),
    containersTotal: containers ?? null,
    lastSign: found.lastSign?.writtenAt.toISOString() ?? null,
    countsAsLostAt: new Date(now.getTime() + found.patience).toISOString(),
  };
}

function silentProblem({ limits }: Dependencies, { silence }: HolderLife): Problem[] {
  if (silence <= patienceOf(limits).reported) return [];
  return [problemOf('run-silent', 0, undefined, `The run has given no sign of life for ${silentFor(silence)}`)];
}

/**
 * How many blobs a run will probably list: a backup as many as the last one, a restore as many as its restore point
 * has.
 */
async function expectedOf(deps: Dependencies, vault: string, run: RunRef): Promise<number | undefined> {
  const { job, mode } = run;
  const point = pointOfRun(run);
  const restore = run.mode === 'restore' ? run.restore : undefined;
  try {
    if (restore?.names && retriedRun(run) === undefined) return restore.names.length;
    if (retriedRun(run) !== undefined || mode === 'prune' || mode === 'reprocess') return undefined;
    if (point) return heldIn(await new ControlStore(deps.blobs(vault)).readSummary({ job, id: point }), restore);
    const { rows } = await uncheckedRows(deps, vault, { choice: { job, runsOnly: true }, limit: 10 });
    const alike = mode === 'reconcile' ? ['reconcile'] : ['full', 'incremental'];
    const last = rows.find((row) => alike.includes(row.mode) && /^(succeeded|completed)/.test(row.status));
    return last?.counts?.listed;
  } catch (error) {
    if (isStorageError(error)) return undefined;
    throw error;
  }
}

/** Unknown if the restore selects only some names of a container, or some keys of a table. */
function heldIn(point: RunSummary | undefined, restore: RestoreTask | undefined): number | undefined {
  const isSome = restore && (restore.startsWith || restore.include.length || restore.exclude.length || restore.keys);
  if (!point || isSome) return undefined;
  return point.parts
    .filter(({ container }) => !restore || isRestored(restore, container))
    .reduce((sum, { copied, unchanged }) => sum + copied + unchanged, 0);
}

/** How far a run in progress is; undefined if there is no such run any more, or if it cannot be read. */
export async function progressOf(
  deps: Dependencies,
  client: DurableClient,
  id: string,
): Promise<Pick<Report, 'phase' | 'progress' | 'progressAt' | 'lastSign'> | undefined> {
  try {
    const found = await findRun(deps, client, id);
    return found.state === 'running' ? await reportSoFar(deps, found) : undefined;
  } catch (error) {
    if (error instanceof HttpError || isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}

/** GET /api/runs/{id} */
export function getRunHandler(deps: Dependencies) {
  const shared = new SharedAnswers<ShownRun>(deps);
  return answering(deps, OPERATIONS.getRun, async ({ params: { id }, query }, client) => {
    const report = await shared.get([id], () => readReport(deps, client, id));
    if (query.containers === 'all') return reply(200, report);
    const isShown = ({ status, problems }: ContainerReport) =>
      query.containers === 'problems' && (problems.length > 0 || (status !== 'succeeded' && status !== 'running'));
    return reply(200, { ...report, containers: report.containers.filter(isShown) });
  });
}
