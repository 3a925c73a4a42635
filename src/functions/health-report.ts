import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { ArchiveRule, Job } from '#config/configuration.ts';
import type { By } from '#domain/run/by.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { defined } from '#domain/run/defined.ts';
import { ORCHESTRATION_VERSION } from '#domain/run/orchestration-version.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { nextStart } from '#domain/watch/next-start.ts';
import { isPaused, type Pause } from '#domain/watch/pause.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import {
  type Containers,
  type HealthProblem,
  type JobHealth,
  jobHealth,
  problem,
  shownMessage,
} from './run/job-health.ts';
import { newestDiffer } from './run/list-rows.ts';

declare const STRONGROOM_VERSION: string;

const PATIENCE_MS = 5_000;

/** A pause that is not over. Its reason and who made it are not for those who may not see names. */
interface ShownPause {
  since: string;
  until: string | null;
  reason?: string;
  by?: By;
}

export interface HealthReport {
  status: 'ok' | 'degraded';
  version: string;
  orchestrations: number;
  taskHub?: { code: string; hint: string };
  accounts: CheckedAccount['shown'][];
  jobs: (ReturnType<typeof timesOf> & JobHealth)[];
  archives: (ReturnType<typeof ruleTimesOf> & Pick<JobHealth, 'problem'> & { failedPermanently: number | null })[];
}

/**
 * Whether every account answers and no job is kept from starting; and schedules, silent runs and poison uploads. It
 * names accounts by alias only.
 */
export function healthReport(deps: Dependencies): (client: DurableClient) => Promise<HealthReport> {
  const checks = { replaces: replacementProofs(deps), jobs: jobHealth(deps) };
  return async (client) => {
    const { jobs, archives, accounts: connections } = deps.configuration;
    const all = [...jobs, ...archives];
    const accounts = await Promise.all(
      [...connections.keys()].map((alias) => {
        const isVault = all.some(({ destination }) => destination.account === alias);
        return checkAccount(deps, alias, isVault, checks.replaces);
      }),
    );
    const healthOf = async ({ name, destination }: Pick<Job, 'name' | 'destination'>): Promise<JobHealth> => {
      const vault = accounts.find(({ shown }) => shown.alias === destination.account);
      if (vault?.shown.status !== 'ok') return { problem: problemOfAccount(vault), lostRun: null, silent: null };
      return checks.jobs(client, name, vault.containers);
    };
    const taken = await deps.taskHub?.refusal();
    const pauses = await pausesIn(
      deps,
      accounts.filter(({ shown }) => shown.status === 'ok').map(({ shown }) => shown.alias),
    );
    const shown = {
      ...(taken !== undefined && { taskHub: { code: 'task-hub-taken', hint: PROBLEMS['task-hub-taken'].hint } }),
      accounts: accounts.map((each) => each.shown),
      jobs: await Promise.all(jobs.map(async (job) => ({ ...timesOf(deps, job, pauses), ...(await healthOf(job)) }))),
      archives: await Promise.all(
        archives.map(async (rule) => {
          const { problem } = await healthOf(rule);
          const failedPermanently = isOk(accounts, rule.destination.account) ? await openPoison(deps, rule.name) : null;
          return { ...ruleTimesOf(deps, rule, pauses), problem, failedPermanently };
        }),
      ),
    };
    const healthy =
      taken === undefined &&
      shown.accounts.every(({ status }) => status === 'ok') &&
      [...shown.jobs, ...shown.archives].every(({ problem }) => problem === null);
    const versions = { version: STRONGROOM_VERSION, orchestrations: ORCHESTRATION_VERSION };
    return { status: healthy ? 'ok' : 'degraded', ...versions, ...shown };
  };
}

/** A start would meet what the vault has. */
function problemOfAccount(vault: CheckedAccount | undefined): HealthProblem | null {
  const { code, message, hint } = vault?.shown ?? {};
  return code === undefined || message === undefined || hint === undefined ? null : { code, message, hint };
}

/** The same for a caller who may not see names: what is wrong, by its code, without the message that may have some. */
export function withoutNames(report: HealthReport): HealthReport {
  const { accounts, jobs, archives } = report;
  const unnamed = <Each extends HealthProblem>(each: Each): Each => ({ ...each, message: PROBLEMS[each.code].meaning });
  const ofJob = <Each extends { problem: HealthProblem | null; paused: ShownPause | null }>(each: Each): Each => ({
    ...each,
    problem: each.problem && unnamed(each.problem),
    paused: each.paused && { since: each.paused.since, until: each.paused.until },
  });
  return {
    ...report,
    accounts: accounts.map(({ catalog, ...each }) => ({
      ...each,
      ...(each.code && { message: PROBLEMS[each.code].meaning }),
      ...(catalog && { catalog: unnamed(catalog) }),
    })),
    jobs: jobs.map(ofJob),
    archives: archives.map(ofJob),
  };
}

/** The pauses of jobs and archive rules that are not over, by name. */
async function pausesIn(deps: Dependencies, answering: string[]): Promise<Map<string, Pause>> {
  const { jobs, archives } = deps.configuration;
  const all = [...jobs, ...archives];
  const vaults = new Set(
    all.map(({ destination }) => destination.account).filter((alias) => answering.includes(alias)),
  );
  const paused = new Map<string, Pause>();
  for (const vault of vaults) {
    const found = await new WatchStore(deps.blobs(vault)).readPauses().catch((error) => {
      if (isStorageError(error)) return { jobs: {} as Record<string, Pause> };
      throw error;
    });
    for (const { name, destination } of all) {
      const pause = destination.account === vault ? found.jobs[name] : undefined;
      if (isPaused(pause, deps.now())) paused.set(name, pause);
    }
  }
  return paused;
}

function shownPause(pause: Pause | undefined): ShownPause | null {
  if (!pause) return null;
  const { at: since, until = null, reason, by } = pause;
  return { since, until, reason, ...defined({ by }) };
}

function timesOf(deps: Dependencies, { name, schedule, timeZone }: Job, pauses: ReadonlyMap<string, Pause>) {
  const pause = pauses.get(name);
  const next = nextStart(schedule, timeZone, pause, deps.now())?.toISOString() ?? null;
  return { name, schedule: schedule ?? null, timeZone, next, paused: shownPause(pause) };
}

function ruleTimesOf(
  deps: Dependencies,
  { name, reconcile, timeZone }: ArchiveRule,
  pauses: ReadonlyMap<string, Pause>,
) {
  const pause = pauses.get(name);
  const next = nextStart(reconcile, timeZone, pause, deps.now())?.toISOString() ?? null;
  return { name, reconcile, timeZone, next, paused: shownPause(pause) };
}

function isOk(accounts: readonly CheckedAccount[], alias: string): boolean {
  return accounts.some(({ shown }) => shown.alias === alias && shown.status === 'ok');
}

async function openPoison(deps: Dependencies, rule: string): Promise<number | null> {
  try {
    return await new PoisonStore(jobContextOf(deps, rule).control, rule).countOpen();
  } catch (error) {
    if (isStorageError(error)) return null;
    throw error;
  }
}

/** The services to check: an app that backs up only the tables of an account needs no right to its blobs. */
function services({ configuration }: Dependencies, alias: string): { blobs: boolean; tables: boolean } {
  const { jobs, archives } = configuration;
  const sources = jobs.filter(({ source }) => source.account === alias).map(({ source }) => source);
  const others = [...jobs, ...archives].some(({ destination }) => destination.account === alias);
  const archived = archives.some(({ source }) => source.account === alias);
  const tables = sources.some((source) => source.tables.length > 0);
  const containers = sources.some((source) => source.containers.length > 0);
  return { blobs: containers || others || archived || !tables, tables };
}

interface CheckedAccount {
  shown: { alias: string; status: 'ok' | 'failed'; catalog?: HealthProblem } & Partial<HealthProblem>;
  containers: Containers;
}

async function checkAccount(
  deps: Dependencies,
  alias: string,
  vault: boolean,
  replaces: (alias: string) => Promise<void>,
): Promise<CheckedAccount> {
  const { blobs, tables } = services(deps, alias);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const containers = blobs ? await askBlobs(deps, alias, signal) : undefined;
    if (vault) await replaces(alias);
    if (tables) await deps.tables(alias).listTables(undefined, signal);
    const { hasRuns, wrong } = vault ? await catalogOf(deps, alias, signal) : { hasRuns: false };
    // Rows are of runs, which have left something there.
    if (hasRuns && containers && !containers.has(CONTROL_CONTAINER)) {
      const message = `${alias} has no container "${CONTROL_CONTAINER}", and its catalog lists runs`;
      return { shown: { alias, status: 'failed', ...problem('content-missing', message) }, containers };
    }
    return { shown: { alias, status: 'ok', ...(wrong && { catalog: wrong }) }, containers };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const code = error.kind === 'aborted' ? 'unreachable' : problemCodeOf(error, vault ? 'destination' : 'source');
    const message = error.kind === 'aborted' ? `${alias}: no answer in time` : shownMessage(alias, error);
    return { shown: { alias, status: 'failed', ...problem(code, message) }, containers: undefined };
  }
}

/** Asks for the containers of an account, or for one that is named, where a signature covers only that. */
async function askBlobs(deps: Dependencies, alias: string, signal: AbortSignal): Promise<Containers> {
  const account = deps.blobs(alias);
  try {
    const { names, next } = await account.listContainers(undefined, signal);
    return next === undefined ? new Set(names) : undefined;
  } catch (error) {
    const named = isStorageError(error, 'access-denied') ? namedContainer(deps, alias) : undefined;
    if (named === undefined) throw error;
    await account.listBlobs(named, { limit: 1, signal });
    return undefined;
  }
}

/** A container that a job or rule reads in an account, if all of them are named without patterns. */
function namedContainer({ configuration: { jobs, archives } }: Dependencies, alias: string): string | undefined {
  const vaults = [...jobs, ...archives].map(({ destination }) => destination.account);
  if (vaults.includes(alias)) return undefined;
  const names = [
    ...jobs.filter(({ source }) => source.account === alias).flatMap(({ source }) => source.containers),
    ...archives.filter(({ source }) => source.account === alias).map(({ source }) => source.container),
  ];
  return names.some((name) => name.includes('*')) ? undefined : names[0];
}

/** How long a proof that the control container of a vault can be written holds: each leaves versions. */
const PROOF_HOLDS_MS = 24 * 3_600_000;

/** Proves at times, for each vault, that objects of its control container can be replaced. */
function replacementProofs(deps: Dependencies) {
  const provedAt = new Map<string, number>();
  return async (alias: string): Promise<void> => {
    const now = deps.now().getTime();
    if (now - (provedAt.get(alias) ?? Number.NEGATIVE_INFINITY) < PROOF_HOLDS_MS) return;
    await new ControlStore(deps.blobs(alias)).proveReplaceable();
    provedAt.set(alias, now);
  };
}

interface CatalogLook {
  hasRuns: boolean;
  wrong?: HealthProblem;
}

/** Whether the catalog of a vault has runs, and what is wrong with it. Everything works without it. */
async function catalogOf(deps: Dependencies, alias: string, signal: AbortSignal): Promise<CatalogLook> {
  const late = new Promise<'late'>((resolve) => {
    signal.addEventListener('abort', () => resolve('late'));
  });
  const asked = lookAtCatalog(deps, alias);
  try {
    const found = await Promise.race([asked, late]);
    if (found !== 'late' && found) return found;
  } catch (error) {
    if (!isStorageError(error)) throw error;
    // The first run of a vault makes the table.
    if (error.kind === 'container-not-found' && (await hasNoRun(deps, alias))) return { hasRuns: false };
  }
  asked.catch(() => {});
  return { hasRuns: false, wrong: saying('catalog-unavailable', alias) };
}

/** How many of the newest runs health compares with the vault. */
const NEWEST_ROWS = 20;

/** Undefined if the catalog may lack earlier runs. */
async function lookAtCatalog(deps: Dependencies, alias: string): Promise<CatalogLook | undefined> {
  const page = await deps.catalog(alias).list({ runsOnly: true, limit: NEWEST_ROWS });
  if (page.incomplete) return undefined;
  const hasRuns = page.rows.length > 0;
  return (await newestDiffer(deps, alias, page)) ? { hasRuns, wrong: saying('catalog-differs', alias) } : { hasRuns };
}

function saying(code: 'catalog-unavailable' | 'catalog-differs', alias: string): HealthProblem {
  return problem(code, `${alias}: ${PROBLEMS[code].meaning}`);
}

async function hasNoRun(deps: Dependencies, alias: string): Promise<boolean> {
  const { blobs } = await new ControlStore(deps.blobs(alias)).list({ prefix: 'jobs/', limit: 1 });
  return blobs.length === 0;
}
