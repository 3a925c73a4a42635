import type { Dependencies } from '#app/dependencies.ts';
import { asJob } from '#app/job-context.ts';
import type { ArchiveRule, Job } from '#config/configuration.ts';
import type { RunLock } from '#domain/run/lock.ts';
import { type Mark, markOf, type Scheduled } from '#domain/run/occurrence.ts';
import type { Notes, Proof } from '#domain/run/restore-point.ts';
import type { RunRef } from '#domain/run/run.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import { type Condition, conditionsOf, unreadable } from '#domain/watch/conditions.ts';
import { durationMs } from '#domain/watch/duration.ts';
import { doneFor, type Expectation, type Standing, standingOf } from '#domain/watch/expected.ts';
import type { JobFacts, OtherRun, RunningRun } from '#domain/watch/facts.ts';
import type { KnownRun } from '#domain/watch/known-run.ts';
import type { MissedStarts } from '#domain/watch/missed-start.ts';
import { type Pause, type Pauses, pauseEnd } from '#domain/watch/pause.ts';
import { kindKey, usualMs, type WatchState, withRuns, withSeen } from '#domain/watch/state.ts';
import { type CatalogRow, catalogRowOf } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import type { WatchStore } from '#storage/control/watch-store.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import { lossOfNewest } from '../run/find-restore-point.ts';
import { uncheckedRows } from '../run/list-rows.ts';

/** The first pass of a watch looks further back. Both are one request: a page has at most 1,000 rows. */
const FIRST_ROWS = 999;
const ROWS = 200;
/** Without a catalog, each row is a request. */
const ROWS_OF_VAULT = 20;

/** A job or archive rule, and what is expected of it. */
export interface Watched {
  job: Job;
  rule?: ArchiveRule;
  expectations: Partial<Record<Scheduled, Expectation>>;
}

/** What is open of the jobs and rules of a vault. */
export function openConditions({ facts, unread }: Pick<VaultFacts, 'facts' | 'unread'>, now: Date): Condition[] {
  return [
    ...facts.flatMap((each) => conditionsOf(each, now)),
    ...[...unread].map(([job, message]) => unreadable(job, message, now)),
  ];
}

/** The jobs and rules of a vault. */
export function watchedIn({ configuration }: Dependencies, vault: string): Watched[] {
  const { jobs, archives } = configuration;
  const isHere = ({ destination }: Job) => destination.account === vault;
  return [
    ...jobs.filter(isHere).map((job) => ({ job, expectations: expectationsOf(job) })),
    ...archives
      .map((rule) => ({
        job: asJob(rule),
        rule,
        expectations: { reconcile: { schedule: rule.reconcile, timeZone: rule.timeZone } },
      }))
      .filter(({ job }) => isHere(job)),
  ];
}

function expectationsOf({ schedule, timeZone, expect, verify, retention }: Job): Watched['expectations'] {
  const graceMs = expect?.grace === undefined ? undefined : durationMs(expect.grace);
  const everyMs = expect?.every === undefined ? undefined : durationMs(expect.every);
  const by = (schedule: string | undefined) => ({ schedule, timeZone, graceMs });
  return {
    backup: { ...by(schedule), everyMs },
    ...(verify?.schedule && { verify: by(verify.schedule) }),
    ...(retention?.schedule && { prune: by(retention.schedule) }),
  };
}

export interface VaultFacts {
  state: WatchState;
  facts: JobFacts[];
  /** The newest restore point of each job that has one, and its notes. */
  points: Map<string, { id: string; notes: Notes }>;
  /** The newest runs of the vault. */
  rows: CatalogRow[];
  /** Runs that have ended: those of the rows, and others that were in progress when the vault was read before. */
  ended: KnownRun[];
  /** Jobs whose objects cannot be read, and why: nothing is known of them. */
  unread: Map<string, string>;
}

/**
 * What the vault knows of its jobs. Costs one query of the catalog and two small reads, and for each job its lock, a
 * listing of notes, a look for the summary of its newest restore point, and two more reads for each run in progress;
 * for each archive rule, a listing of poison entries. No request concerns a restore point that has not changed. Throws
 * if the vault does not answer, or has lost everything.
 */
export async function readVault(
  deps: Dependencies,
  vault: string,
  store: WatchStore,
  before: WatchState,
  isFirst: boolean,
): Promise<VaultFacts> {
  const now = deps.now();
  const watched = watchedIn(deps, vault);
  const [pauses, missed, rows] = await Promise.all([
    store.readPauses(),
    store.readMissed(),
    newestRows(deps, vault, isFirst ? FIRST_ROWS : ROWS),
  ]);
  // A write would create the container, and hide that it was lost.
  if (isFirst && rows.length > 0 && (await store.isGone())) {
    throw new StorageError('container-not-found', `${vault} has lost its control container, and its catalog has runs`);
  }
  let state = withRuns(before, rows, now);
  const facts: JobFacts[] = [];
  const ended: KnownRun[] = rows.filter(({ status }) => status !== 'running');
  const points: VaultFacts['points'] = new Map();
  const unread: VaultFacts['unread'] = new Map();
  for (const each of watched) {
    try {
      const found = await readJob(deps, each, {
        ...{ control: new ControlStore(deps.blobs(vault)), state, pauses, missed, isFirst },
      });
      state = found.state;
      facts.push(found.facts);
      ended.push(...found.ended);
      if (found.point) points.set(each.job.name, found.point);
    } catch (error) {
      if (!isStorageError(error, 'damaged')) throw error;
      unread.set(each.job.name, error.message);
    }
  }
  return { state, facts, points, rows, ended, unread };
}

async function newestRows(deps: Dependencies, vault: string, limit: number): Promise<CatalogRow[]> {
  try {
    // Rows may be missing of runs from before the table was made: the watch has seen those, or they are old.
    return (await deps.catalog(vault).list({ runsOnly: true, limit })).rows;
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return (await uncheckedRows(deps, vault, { choice: {}, limit: ROWS_OF_VAULT })).rows;
  }
}

/** Of `WatchState.seen`. */
export const seenKey = (job: string, what: string, expectation?: Expectation) =>
  `${job} ${what} ${expectation?.schedule ?? ''} ${expectation?.timeZone ?? ''}`;

/** Before the first restore point, there is nothing to verify. */
function expectedNow({ job, expectations }: Watched, hasPoint: boolean) {
  const entries = Object.entries(expectations) as [Scheduled, Expectation][];
  const expected = entries.filter(([what]) => what !== 'verify' || hasPoint);
  const proof = hasPoint && job.verify?.expect !== undefined ? [seenKey(job.name, 'proof')] : [];
  return { expected, keys: [...expected.map(([what, each]) => seenKey(job.name, what, each)), ...proof] };
}

interface Known {
  control: ControlStore;
  state: WatchState;
  pauses: Pauses;
  missed: MissedStarts;
  isFirst: boolean;
}

/**
 * Since when a watch without a memory takes expectations for known: since the last run that met them, or their mark.
 * Else what is overdue would be in order until it is due again.
 */
function seenBefore(
  { job }: Watched,
  expected: readonly (readonly [Scheduled, Expectation])[],
  { state, lock, notes }: { state: WatchState; lock: RunLock | undefined; notes: ReadonlyMap<string, Notes> },
  now: Date,
): Map<string, string> {
  const goodOf = (what: Scheduled) => state.kinds[kindKey(job.name, what)]?.good?.startedAt;
  const found = expected.map(([what, each]): [string, string | undefined] => {
    const mark = markOf(lock?.served, what, now);
    const marked = mark && isMarkOf(mark, each) ? mark.at : undefined;
    return [seenKey(job.name, what, each), goodOf(what) ?? marked];
  });
  const sound = newestProofs(notes).filter(({ failed }) => failed === 0);
  const proved = sound.map(({ at }) => at).toSorted();
  const all = [...found, [seenKey(job.name, 'proof'), proved.at(-1) ?? goodOf('backup')] as const];
  return new Map(all.flatMap(([key, at]) => (at === undefined ? [] : [[key, at]])));
}

const isMarkOf = ({ schedule }: Mark, expectation: Expectation) =>
  schedule === `${expectation.schedule} ${expectation.timeZone}`;

async function readJob(
  deps: Dependencies,
  watched: Watched,
  { control, state: before, pauses, missed, isFirst }: Known,
): Promise<{
  state: WatchState;
  facts: JobFacts;
  ended: KnownRun[];
  point: { id: string; notes: Notes } | undefined;
}> {
  const now = deps.now();
  const { job, rule } = watched;
  const { name } = job;
  const [lock, notes, poison] = await Promise.all([
    control.readLock(name),
    rule ? new Map<string, Notes>() : control.listNotes(name),
    rule ? new PoisonStore(control, name).countOpen() : 0,
  ]);
  const last = lock?.value.point;
  const loss = last === undefined ? undefined : await lossOfNewest(control, { job: name, id: last });
  const { expected, keys } = expectedNow(watched, last !== undefined);
  const known = isFirst ? seenBefore(watched, expected, { state: before, lock: lock?.value, notes }, now) : undefined;
  const seen = withSeen(before, keys, now, known);
  const inProgress = await runsInProgress(deps, control, name, lock?.value.run ?? null, seen);
  const { running, others, state } = inProgress;
  const pause = pauses.jobs[name];
  const ended: JobFacts['ended'] = {};
  const standings: JobFacts['standings'] = {};
  for (const [what, expectation] of expected) {
    const memory = state.kinds[kindKey(name, what)];
    if (memory?.ended) ended[what] = memory.ended;
    standings[what] = standing(
      { job: name, what, expectation, pause, running, state, mark: markOf(lock?.value.served, what, now) },
      now,
    );
  }
  for (const what of ['verify', 'prune'] as const) {
    const run = state.kinds[kindKey(name, what)]?.ended;
    if (run) ended[what] = run;
  }
  const proofWithin = keys.includes(seenKey(name, 'proof')) ? job.verify?.expect : undefined;
  const facts: JobFacts = {
    accounts: { source: job.source.account, vault: job.destination.account },
    ...{ job: name, standings, ended, running, others, missed: missed.jobs[name] ?? {} },
    brakes: brakesIn(notes),
    proofs: newestProofs(notes),
    ...(proofWithin !== undefined && {
      proofWithin: { ms: durationMs(proofWithin), since: new Date(state.seen[seenKey(name, 'proof')]!) },
    }),
    ...(rule && { poison }),
    ...(!rule && last === undefined && { isWithoutBackup: true as const }),
    ...(pause && { pause }),
    ...(loss && { lostPoint: { id: last!, message: loss.message } }),
  };
  const point = last === undefined ? undefined : { id: last, notes: notes.get(last) ?? {} };
  return { state, facts, ended: inProgress.ended, point };
}

interface Asked {
  job: string;
  what: Scheduled;
  expectation: Expectation;
  pause: Pause | undefined;
  running: RunningRun[];
  state: WatchState;
  mark: Mark | undefined;
}

function standing({ job, what, expectation, pause, running, state, mark }: Asked, now: Date): Standing {
  const good = state.kinds[kindKey(job, what)]?.good;
  const own = mark && isMarkOf(mark, expectation) ? mark : undefined;
  const done = doneFor(good && new Date(good.startedAt), own, (run) => run === good?.id);
  const seen = Date.parse(state.seen[seenKey(job, what, expectation)]!);
  const since = new Date(Math.max(seen, pauseEnd(pause, now)?.getTime() ?? 0));
  return standingOf(expectation, { since, doneFor: done, isRunning: running.some((run) => run.what === what) }, now);
}

/** The run that holds the lock of the job, and readers, which the catalog lists. */
async function runsInProgress(
  deps: Dependencies,
  control: ControlStore,
  job: string,
  holder: RunRef | null,
  before: WatchState,
): Promise<{ running: RunningRun[]; others: OtherRun[]; ended: KnownRun[]; state: WatchState }> {
  const now = deps.now();
  let state = holder ? withRuns(before, [{ ...holder, status: 'running' }], now) : before;
  const open = Object.entries(state.unfinished).filter(([, run]) => run.job === job);
  const running: RunningRun[] = [];
  const others: OtherRun[] = [];
  const ended: KnownRun[] = [];
  for (const [id, { mode, startedAt, what, dryRun = false }] of open) {
    const summary = await control.readSummary({ job, id }).catch((error) => {
      // Nothing else follows from a run that no schedule awaits. GET /api/runs/{id} shows the damage.
      if (what === undefined && isStorageError(error, 'damaged')) return 'damaged' as const;
      throw error;
    });
    if (summary === 'damaged') continue;
    if (summary) {
      const row = catalogRowOf(summary);
      ended.push(row);
      state = withRuns(state, [row], now);
      continue;
    }
    const age = (await control.lastSign({ job, id }))?.age ?? now.getTime() - Date.parse(startedAt);
    const silence = age > patienceOf(deps.limits).reported ? { silentMs: age } : {};
    if (what === undefined) {
      others.push({ id, mode, dryRun, startedAt, ...silence });
      continue;
    }
    const usual = usualMs(state.kinds[kindKey(job, what)] ?? { tookMs: [] });
    running.push({ id, what, startedAt, ...silence, ...(usual !== undefined && { usualMs: usual }) });
  }
  return { running, others, ended, state };
}

function brakesIn(notes: ReadonlyMap<string, Notes>): JobFacts['brakes'] {
  return [...notes].flatMap(([point, { brake, removed }]) =>
    brake && brake.released === undefined && !removed ? [{ point, containers: brake.containers }] : [],
  );
}

/** Of each kind, whatever restore point it was of. */
function newestProofs(notes: ReadonlyMap<string, Notes>): Proof[] {
  const newest = new Map<string, Proof>();
  for (const { proofs = [], removed } of notes.values()) {
    for (const proof of removed ? [] : proofs) {
      if ((newest.get(proof.kind)?.at ?? '') < proof.at) newest.set(proof.kind, proof);
    }
  }
  return [...newest.values()];
}
