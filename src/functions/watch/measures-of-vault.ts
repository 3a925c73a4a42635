import type { DurableClient } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';
import { runTotal } from '#app/run-prices.ts';
import type { JobMeasures, LastRun, Progress } from '#domain/metrics/samples.ts';
import { defined } from '#domain/run/defined.ts';
import type { Scheduled } from '#domain/run/occurrence.ts';
import type { Condition } from '#domain/watch/conditions.ts';
import type { JobFacts } from '#domain/watch/facts.ts';
import { nextStart } from '#domain/watch/next-start.ts';
import { EMPTY_STATE, type KindMemory, kindKey, type WatchState } from '#domain/watch/state.ts';
import { type CatalogRow, catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { progressOf } from '../run/get-run.ts';
import { ratedHere } from './configured-condition.ts';
import { heldInVault } from './held-in-vault.ts';
import { inTime } from './in-time.ts';
import { type HeldAt, heldByJobs, type PastOf, pastPrunesAndRestores, withNewest } from './past-runs.ts';
import { openConditions, readVault, type Watched, watchedIn } from './read-vault.ts';

/** A collector waits ten seconds by default. */
const PATIENCE_MS = 8_000;
/** A run of many containers has many parts to list. */
const PROGRESS_MS = 3_000;
/** A run for each kind of each job. */
const MOST_KNOWN = 1_000;

export interface VaultMeasures {
  held: HeldAt | undefined;
  /** Without jobs that cannot be read. */
  jobs: Map<string, JobMeasures>;
  /** What is open now. */
  conditions: Condition[];
  /** What the last pass of the watch noted. */
  noted: Condition[];
}

/** Reads what metrics show of a vault; undefined if it does not answer in time. */
export function measuresOfVault(deps: Dependencies) {
  const known = new Map<string, CatalogRow>();
  const othersOf = pastPrunesAndRestores(deps);
  return (client: DurableClient, vault: string): Promise<VaultMeasures | undefined> => {
    const found = measured(deps, client, vault, { known, othersOf }).catch((error) => {
      if (isStorageError(error)) return undefined;
      throw error;
    });
    return inTime(found, PATIENCE_MS);
  };
}

async function measured(
  deps: Dependencies,
  client: DurableClient,
  vault: string,
  { known, othersOf }: { known: Map<string, CatalogRow>; othersOf: PastOf },
): Promise<VaultMeasures> {
  const store = new WatchStore(deps.blobs(vault));
  const { state: before } = await store.readState();
  const [found, past] = await Promise.all([
    readVault(deps, vault, store, before ?? EMPTY_STATE, before === undefined),
    othersOf(vault),
  ]);
  const { state, facts, rows } = found;
  const others = withNewest(past, rows);
  const watched = new Map(watchedIn(deps, vault).map((each) => [each.job.name, each]));
  const jobs = await Promise.all(
    facts.map(async (own): Promise<[string, JobMeasures]> => {
      const read = { watched: watched.get(own.job)!, facts: own, vault, state, rows, others, known };
      return [own.job, await measuresOfJob(deps, client, read)];
    }),
  );
  return {
    held: heldInVault(deps, vault, found, heldByJobs(others)),
    jobs: new Map(jobs),
    conditions: ratedHere(deps, openConditions(found, deps.now())),
    noted: Object.values(state.notices.open).map(({ condition }) => condition),
  };
}

interface Read {
  vault: string;
  watched: Watched;
  facts: JobFacts;
  state: WatchState;
  rows: readonly CatalogRow[];
  /** The newest runs and earlier prunes and restores, in any order. */
  others: readonly CatalogRow[];
  /** Runs that have ended and that the rows lack. */
  known: Map<string, CatalogRow>;
}

async function measuresOfJob(deps: Dependencies, client: DurableClient, read: Read): Promise<JobMeasures> {
  const { watched, facts, state } = read;
  const kinds: Scheduled[] = watched.rule ? ['reconcile'] : ['backup', 'verify', 'prune'];
  const last: JobMeasures['last'] = {};
  const succeededAt: JobMeasures['succeededAt'] = {};
  for (const kind of kinds) {
    const memory = state.kinds[kindKey(facts.job, kind)];
    if (memory?.last) last[kind] = await lastRun(deps, read, memory.last);
    if (memory?.succeeded) succeededAt[kind] = memory.succeeded.finishedAt;
  }
  const restored = restoresOf(read);
  if (restored[0]) last.restore = endedRun(deps, restored[0]);
  const succeeded = restored.find(({ status }) => status === 'succeeded');
  if (succeeded) succeededAt.restore = succeeded.finishedAt;
  return {
    ...{ facts, kinds, next: nextStarts(watched, facts, deps.now()), last, succeededAt },
    ...defined({ restorePointAt: state.kinds[kindKey(facts.job, 'backup')]?.good?.startedAt }),
    progress: await progressOfRuns(deps, client, facts),
  };
}

function nextStarts({ expectations }: Watched, { pause }: JobFacts, now: Date): JobMeasures['next'] {
  const starts = Object.entries(expectations).map(([kind, { schedule, timeZone }]) => [
    kind,
    schedule === undefined ? undefined : nextStart(schedule, timeZone, pause, now),
  ]);
  return defined(Object.fromEntries(starts));
}

async function lastRun(deps: Dependencies, read: Read, last: NonNullable<KindMemory['last']>): Promise<LastRun> {
  const row = await rowOf(deps, read, last.id);
  return row ? { ...endedRun(deps, row), ...last } : last;
}

function endedRun<Row extends CatalogRow>(deps: Dependencies, row: Row): Omit<Row, 'usage'> & Pick<LastRun, 'cost'> {
  const { usage, ...known } = row;
  const cost = usage && runTotal(deps, row, usage);
  return { ...known, ...defined({ cost }) };
}

/** The restores of a job that have ended, the newest first. No schedule starts them, so the watch remembers none. */
function restoresOf({ others, facts: { job } }: Read): (CatalogRow & { finishedAt: string })[] {
  const isRestore = (row: CatalogRow): row is CatalogRow & { finishedAt: string } =>
    row.job === job && row.mode === 'restore' && !row.dryRun && row.finishedAt !== undefined;
  return others.filter(isRestore).toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

/** From the catalog; from its summary if the newest rows lack it. Summaries never change. */
async function rowOf(
  deps: Dependencies,
  { vault, facts: { job }, rows, known }: Read,
  id: string,
): Promise<CatalogRow | undefined> {
  const row = rows.find((each) => each.id === id && each.status !== 'running') ?? known.get(id);
  if (row) return row;
  try {
    const summary = await new ControlStore(deps.blobs(vault)).readSummary({ job, id });
    if (!summary) return undefined;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(id, catalogRowOf(summary));
    return known.get(id);
  } catch (error) {
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}

/** A run is shown without its progress if that cannot be read, or not soon: all else is still true. */
async function progressOfRuns(
  deps: Dependencies,
  client: DurableClient,
  { running }: JobFacts,
): Promise<Map<string, Progress>> {
  const found = running.map(async ({ id }): Promise<[string, Progress][]> => {
    const asked = progressOf(deps, client, id).catch((error) => {
      deps.telemetry.failure('metrics', error, { run: id });
      return undefined;
    });
    const report = await inTime(asked, PROGRESS_MS);
    if (!report) return [];
    const { progress, progressAt, lastSign = null } = report;
    return [[id, { fraction: progress.fraction, progressAt, lastSign }]];
  });
  return new Map((await Promise.all(found)).flat());
}
