import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { hintFor, PROBLEMS } from '#domain/run/problems.ts';
import { nextAfter } from '#domain/run/schedule.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { answering, json } from './http/answering.ts';
import { silenceOf } from './run/holder-life.ts';
import { lostRunOf } from './run/lost-run.ts';

declare const STRONGROOM_VERSION: string;

const PATIENCE_MS = 5_000;

/**
 * GET /api/health — 200 if every account answers, otherwise 503; and schedules, silent runs and poison uploads. It
 * names aliases only.
 */
export function healthHandler(deps: Dependencies) {
  const replaces = replacementProofs(deps);
  return answering(deps, async (_, client) => {
    const { jobs, archives } = deps.configuration;
    const aliases = [...deps.configuration.accounts.keys()];
    const accounts = await Promise.all(
      aliases.map(async (alias) => ({
        alias,
        ...(await answers(
          deps,
          alias,
          [...jobs, ...archives].some(({ destination }) => destination.account === alias),
          services(deps, alias),
          replaces,
        )),
      })),
    );
    const reachable = new Set(accounts.filter(({ status }) => status === 'ok').map(({ alias }) => alias));
    const taken = await deps.taskHub?.refusal();
    const healthy = taken === undefined && accounts.every(({ status }) => status === 'ok');
    return json(healthy ? 200 : 503, {
      status: healthy ? 'ok' : 'degraded',
      version: STRONGROOM_VERSION,
      ...(taken !== undefined && {
        taskHub: { code: 'task-hub-taken', hint: PROBLEMS['task-hub-taken'].hint },
      }),
      accounts,
      jobs: await Promise.all(
        jobs.map(async ({ name, schedule, timeZone, destination }) => ({
          name,
          schedule: schedule ?? null,
          timeZone,
          next: (schedule && nextAfter(schedule, timeZone, deps.now())?.toISOString()) || null,
          lostRun: reachable.has(destination.account) ? await lostRunOf(deps, client, name) : null,
          silent: reachable.has(destination.account) ? await silentRun(deps, name) : null,
        })),
      ),
      archives: await Promise.all(
        archives.map(async ({ name, reconcile, timeZone, destination }) => ({
          name,
          reconcile,
          timeZone,
          next: nextAfter(reconcile, timeZone, deps.now())?.toISOString() ?? null,
          // Null if the vault does not answer.
          failedPermanently: reachable.has(destination.account) ? await openPoison(deps, name) : null,
        })),
      ),
    });
  });
}

/** The run that holds the lock of a job, if it has given no sign of life for too long. */
async function silentRun(deps: Dependencies, job: string): Promise<{ run: string; hint: string } | null> {
  const { control } = jobContextOf(deps, job);
  try {
    const lock = await control.readLock(job);
    const run = lock?.value.run;
    if (!lock || !run || (await silenceOf(control, run, lock.age)) <= patienceOf(deps.limits).reported) return null;
    return { run: run.id, hint: hintFor(run, PROBLEMS['run-silent'].hint) };
  } catch (error) {
    if (isStorageError(error)) return null;
    throw error;
  }
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

async function answers(
  deps: Dependencies,
  alias: string,
  vault: boolean,
  { blobs, tables }: { blobs: boolean; tables: boolean },
  replaces: (alias: string) => Promise<void>,
) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    if (blobs) await askBlobs(deps, alias, signal);
    if (vault) await replaces(alias);
    if (tables) await deps.tables(alias).listTables(undefined, signal);
    return { status: 'ok' as const, ...(vault && (await catalogOf(deps, alias, signal))) };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    const code = error.kind === 'aborted' ? 'unreachable' : problemCodeOf(error, vault ? 'destination' : 'source');
    return { status: 'failed' as const, code, hint: PROBLEMS[code].hint };
  }
}

/** Asks for the containers of an account, or for one that is named, where a signature covers only that. */
async function askBlobs(deps: Dependencies, alias: string, signal: AbortSignal): Promise<void> {
  const account = deps.blobs(alias);
  try {
    await account.listContainers(undefined, signal);
  } catch (error) {
    const named = isStorageError(error, 'access-denied') ? namedContainer(deps, alias) : undefined;
    if (named === undefined) throw error;
    await account.listBlobs(named, { limit: 1, signal });
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

/** What is wrong with the catalog of a vault. Everything works without it. */
async function catalogOf(deps: Dependencies, alias: string, signal: AbortSignal) {
  const late = new Promise<string>((resolve) => {
    signal.addEventListener('abort', () => resolve('The table service did not answer in time'));
  });
  const asked = deps.catalog(alias).list({ limit: 1 });
  try {
    const why = await Promise.race([asked.then(() => undefined), late]);
    if (why === undefined) return {};
  } catch (error) {
    if (!isStorageError(error)) throw error;
  }
  asked.catch(() => {});
  const code = 'catalog-unavailable';
  return { catalog: { code, hint: PROBLEMS[code].hint } };
}
