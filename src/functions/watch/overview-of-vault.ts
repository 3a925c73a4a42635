import type { DurableClient } from 'durable-functions';
import type { JobOverview, RuleOverview } from '#api/overview.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { Scheduled } from '#domain/run/occurrence.ts';
import { PROBLEMS, type ProblemCode } from '#domain/run/problems.ts';
import { accountConditions, type Condition, SEVERITIES, type Severity } from '#domain/watch/conditions.ts';
import type { JobFacts } from '#domain/watch/facts.ts';
import { jobStateOf } from '#domain/watch/job-state.ts';
import { nextStart } from '#domain/watch/next-start.ts';
import { isPaused } from '#domain/watch/pause.ts';
import { EMPTY_STATE, kindKey, type WatchState } from '#domain/watch/state.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { inTime } from '../http/in-time.ts';
import { progressOf } from '../run/get-run.ts';
import { settledRow } from '../run/settled-row.ts';
import { isConfigured, ratedHere } from './configured-condition.ts';
import { heldInVault } from './held-in-vault.ts';
import { inTime as inTimeOrNot } from './in-time.ts';
import type { PointOf } from './newest-points.ts';
import { type HeldAt, heldByJobs, type PastOf, withNewest } from './past-runs.ts';
import { openConditions, readVault, type VaultFacts, type Watched, watchedIn } from './read-vault.ts';
import type { ScheduleTimes } from './schedule-times.ts';
import { stripOfJob } from './strip-of-job.ts';

export interface VaultOverview {
  alias: string;
  /** What its jobs hold together; null if that is not known. */
  held: HeldAt | null;
  jobs: JobOverview[];
  archives: RuleOverview[];
  conditions: Condition[];
}

/** What one overview leaves for the next. */
export interface OverviewMemory {
  pointOf: PointOf;
  backupsOf: PastOf;
  othersOf: PastOf;
  times: ScheduleTimes;
}

type Standing = Omit<RuleOverview, 'failedPermanently'>;

/** The host answers a call within 230 seconds, and others wait for the same answer. */
const PATIENCE_MS = 20_000;
/** A run of many containers has many parts to list. */
const PROGRESS_MS = 3_000;
const MOST_FOLLOWED = 20;
const NO_PROGRESS = { phase: null, fraction: null, secondsLeft: null };
const KINDS: readonly Scheduled[] = ['backup', 'verify', 'prune', 'reconcile'];

/** How the jobs and rules of a vault stand. A vault that does not answer must not hide the others. */
export async function overviewOfVault(
  deps: Dependencies,
  client: DurableClient,
  vault: string,
  memory: OverviewMemory,
): Promise<VaultOverview> {
  try {
    return await inTime(PATIENCE_MS, vault, readOverview(deps, client, vault, memory));
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const code = error.kind === 'container-not-found' ? 'content-missing' : problemCodeOf(error, 'destination');
    const standing = (name: string) => unknown(name, code, `${vault}: ${PROBLEMS[code].meaning}`);
    const watched = watchedIn(deps, vault);
    return {
      ...{ alias: vault, held: null },
      jobs: watched.flatMap(({ job, rule }) => (rule ? [] : [{ ...standing(job.name), ...NOTHING_KNOWN }])),
      archives: watched.flatMap(({ rule }) => (rule ? [{ ...standing(rule.name), failedPermanently: null }] : [])),
      conditions: ratedHere(
        deps,
        accountConditions([{ alias: vault, code, passes: Number.POSITIVE_INFINITY }], deps.now()),
      ),
    };
  }
}

const NOTHING_KNOWN = { restorePoint: null, size: null, held: null, strip: null };

async function readOverview(
  deps: Dependencies,
  client: DurableClient,
  vault: string,
  memory: OverviewMemory,
): Promise<VaultOverview> {
  const store = new WatchStore(deps.blobs(vault));
  const { state: before } = await store.readState();
  const [found, backups, others] = await Promise.all([
    readVault(deps, vault, store, before ?? EMPTY_STATE, before === undefined),
    memory.backupsOf(vault),
    memory.othersOf(vault),
  ]);
  const open = before?.notices.open ?? {};
  const conditions = ratedHere(deps, openConditions(found, deps.now()))
    // It has the time at which the watch first saw it.
    .map((condition) => ({ ...condition, since: open[condition.id]?.condition.since ?? condition.since }));
  // What concerns no job, the watch finds out over several passes.
  const ofNoJob = Object.values(open).flatMap(({ condition }) => (condition.job === undefined ? [condition] : []));
  const held = heldByJobs(withNewest(others, found.rows));
  const overview: VaultOverview = {
    ...{ alias: vault, held: heldInVault(deps, vault, found, held) ?? null },
    ...{ jobs: [], archives: [] },
    conditions: [...conditions, ...ofNoJob.filter((condition) => isConfigured(deps, condition))],
  };
  // The list of the newest runs is younger than the history. Both may be long, and jobs may be many.
  const backupsOf = backups && Map.groupBy(withNewest(backups, found.rows), ({ job }) => job);
  const stripOf = (watched: Watched, facts: JobFacts) => {
    const { since } = backups ?? {};
    const rows = backupsOf?.get(watched.job.name) ?? [];
    return backupsOf
      ? stripOfJob(deps, watched, facts, { state: found.state, rows, since, times: memory.times })
      : null;
  };
  const moreRunning = await otherRuns(deps, client, found);
  for (const watched of watchedIn(deps, vault)) {
    const { name } = watched.job;
    const facts = found.facts.find(({ job }) => job === name);
    const own = conditions.filter(({ job }) => job === name);
    const standing = facts
      ? standingOf(deps, watched, facts, { state: found.state, conditions: own })
      : { ...unknown(name, 'damaged', found.unread.get(name) ?? name), severity: worstOf(own) };
    standing.running.push(...moreRunning.filter(({ job }) => job === name).map(({ job: _, ...run }) => run));
    if (watched.rule) {
      overview.archives.push({ ...standing, failedPermanently: facts?.poison ?? null });
      continue;
    }
    const point = found.points.get(name);
    const restorePoint = point ? await memory.pointOf(vault, name, point, found.rows, facts?.lostPoint?.message) : null;
    overview.jobs.push({
      ...standing,
      restorePoint,
      size: restorePoint && sizeOf(restorePoint),
      held: held.get(name) ?? null,
      strip: facts ? stripOf(watched, facts) : null,
    });
  }
  await showProgress(deps, client, [...overview.jobs, ...overview.archives]);
  return overview;
}

/** Null if it is not known: the summary is damaged. */
function sizeOf({ blobs, entities, bytes }: NonNullable<JobOverview['restorePoint']>): JobOverview['size'] {
  return blobs === null || entities === null ? null : { blobs, entities, bytes };
}

/** Runs are shown without their progress if it cannot be read, or not soon: all else is still true. */
async function showProgress(deps: Dependencies, client: DurableClient, shown: readonly Standing[]): Promise<void> {
  const running = shown.flatMap((each) => each.running).slice(0, MOST_FOLLOWED);
  const follow = async (run: Standing['running'][number]) => {
    const asked = progressOf(deps, client, run.id).catch((error) => {
      deps.telemetry.failure('overview', error, { run: run.id });
      return undefined;
    });
    const report = await inTimeOrNot(asked, PROGRESS_MS);
    if (!report) return;
    run.phase = report.phase;
    run.fraction = report.progress.fraction;
    run.secondsLeft = report.progress.secondsLeft;
  };
  await Promise.all(running.map(follow));
}

function standingOf(
  deps: Dependencies,
  { job, rule, expectations }: Watched,
  facts: JobFacts,
  { state, conditions }: { state: WatchState; conditions: readonly Condition[] },
): Standing {
  const now = deps.now();
  const pause = isPaused(facts.pause, now) ? facts.pause : undefined;
  const runs = KINDS.flatMap((kind): Standing['runs'] => {
    const memory = state.kinds[kindKey(job.name, kind)];
    const expectation = expectations[kind];
    if (!memory && !expectation) return [];
    const standing = facts.standings[kind];
    const awaited = standing && 'dueAt' in standing ? standing : undefined;
    const next = expectation && nextStart(expectation.schedule, expectation.timeZone, pause, now);
    const { last, good } = memory ?? {};
    return [
      {
        ...{ kind, state: standing?.state ?? 'unwatched' },
        ...{ due: awaited?.dueAt.toISOString() ?? null, overdueAt: awaited?.overdueAt.toISOString() ?? null },
        next: next?.toISOString() ?? null,
        last: last ? { id: last.id, status: last.status, finishedAt: last.finishedAt } : null,
        lastGood: good ? { id: good.id, startedAt: good.startedAt } : null,
      },
    ];
  });
  return {
    name: job.name,
    state: jobStateOf(facts, conditions, { main: rule ? 'reconcile' : 'backup', now }),
    severity: worstOf(conditions),
    paused: pause ? { since: pause.at, until: pause.until ?? null } : null,
    running: facts.running.map(({ id, startedAt, silentMs }) => ({
      ...{ id, mode: state.unfinished[id]?.mode ?? 'unknown', startedAt, isSilent: silentMs !== undefined },
      ...NO_PROGRESS,
    })),
    runs,
    problem: null,
  };
}

/** Restores, dry runs and what else is in progress that no schedule starts. */
async function otherRuns(deps: Dependencies, client: DurableClient, { facts, rows }: VaultFacts) {
  const known = new Set(facts.flatMap(({ running }) => running.map(({ id }) => id)));
  const others = facts.flatMap((each) => each.others);
  const silent = new Set(others.filter(({ silentMs }) => silentMs !== undefined).map(({ id }) => id));
  const open = rows.filter(({ id, status }) => status === 'running' && !known.has(id));
  const settled = await Promise.all(open.map((row) => settledRow(deps, client, row)));
  return settled
    .filter(({ status }) => status === 'running')
    .map(({ id, job, mode, startedAt }) => ({ id, job, mode, startedAt, isSilent: silent.has(id), ...NO_PROGRESS }));
}

function worstOf(conditions: readonly Condition[]): Severity | null {
  return SEVERITIES.findLast((each) => conditions.some(({ severity }) => severity === each)) ?? null;
}

function unknown(name: string, code: ProblemCode, message: string): Standing {
  const problem = { code, message, hint: PROBLEMS[code].hint };
  return { name, state: 'unknown', severity: 'error', paused: null, running: [], runs: [], problem };
}
