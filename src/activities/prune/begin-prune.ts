import { isDeepStrictEqual } from 'node:util';
import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, runsAs } from '#app/job-context.ts';
import { lastPoint } from '#app/last-point.ts';
import { decidePoints } from '#domain/prune/decide-points.ts';
import { DEFAULT_MARGIN_HOURS } from '#domain/prune/retention.ts';
import { CONTROL_CONTAINER, entityFilesPrefix, prunePlanPath, runPrefix } from '#domain/run/control-paths.ts';
import { problemOf } from '#domain/run/problems.ts';
import { type PointName, type PrunePlan, type Reading, withHash } from '#domain/run/prune-plan.ts';
import { announced, forGood, type Removal, withdrawn } from '#domain/run/removal.ts';
import { type Notes, verifiedAt } from '#domain/run/restore-point.ts';
import type { PartEntry, PruneRef, RunRef } from '#domain/run/run.ts';
import { tableOfTask, taskOfTable } from '#domain/run/task-name.ts';
import { isValidTableName } from '#domain/tables/table-name.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import type { ContainerPair, ListContainersResult } from '../run/container-task.ts';
import { brakedContainers, isBraked } from './braked-containers.ts';
import { findOldRuns } from './find-old-runs.ts';
import { type PointInVault, readingIn, readPicture, type VaultPicture } from './vault-picture.ts';

const HOUR = 3_600_000;

/**
 * Begins a prune: decides which restore points to remove, and names the backup containers and the tables to process. A
 * prune that carries out a plan decides again and compares: if anything has changed since, it does nothing. Only then
 * does it mark the restore points that the plan removes.
 */
export async function beginPrune(deps: Dependencies, run: PruneRef): Promise<Omit<ListContainersResult, 'requests'>> {
  const { control } = jobContextOf(deps, run.job);
  const wanted = run.prune.plan;
  if (wanted === undefined) {
    const { picture, plan } = await decideNow(deps, run);
    await control.writeJson(prunePlanPath(run), plan, 'absent');
    const parts = picture.points.filter(({ job }) => job === run.job).flatMap((point) => point.parts);
    const all = [...backupContainersOf(parts), ...(await tablesOf(control, run.job, parts))];
    return { containers: all.filter(({ destination }) => !isBraked(plan.braked, destination)), problems: [] };
  }
  const made = await control.readPrunePlan({ job: run.job, id: wanted.run });
  const planned = await control.readSummary({ job: run.job, id: wanted.run });
  if (!made || !planned || made.hash !== wanted.hash) return stale();
  const { picture, plan } = await decideNow(deps, run, made.reading);
  if (plan.hash !== made.hash) return stale();
  const refused = await refusedToDelete(deps, run);
  if (refused) return { containers: [], problems: [problemOf('access-denied-prune', 0, undefined, refused)] };
  const oldRuns = made.oldRuns?.filter((id) => plan.oldRuns?.includes(id)) ?? [];
  await control.writeJson(prunePlanPath(run), { ...made, oldRuns }, 'absent');
  const now = (await control.lockWrittenAt(run.job)) ?? deps.now();
  const proofs = new Map(picture.points.map(({ id, notes }) => [id, verifiedAt(notes)]));
  const refusal = await markAll({ control, run, plan: made, proofs, at: now.toISOString(), by: deps.random() });
  if (refusal !== undefined) return stale(refusal);
  const containers = planned.containers.filter(({ counts }) => (counts.planned ?? 0) > 0);
  return {
    containers: containers.map(({ container, destination }) => ({ container, destination })),
    problems: [],
  };
}

function backupContainersOf(parts: readonly PartEntry[]): ContainerPair[] {
  const blobs = parts.filter(({ container }) => tableOfTask(container) === undefined);
  const names = new Set(blobs.map(({ destination }) => destination));
  return [...names].map((name) => ({ container: name, destination: name }));
}

/**
 * The tables that have files, whether or not a restore point names them: failed and cancelled runs leave files, too.
 */
async function tablesOf(control: ControlStore, job: string, parts: readonly PartEntry[]): Promise<ContainerPair[]> {
  const tables = new Set(parts.flatMap(({ container }) => tableOfTask(container) ?? []));
  // The parent of their folders.
  const prefix = entityFilesPrefix(job, '').slice(0, -1);
  for await (const folder of control.foldersBelow(prefix)) {
    const name = folder.slice(prefix.length, -1);
    if (isValidTableName(name)) tables.add(name);
  }
  return [...tables].map((table) => ({
    container: taskOfTable(table),
    destination: `${CONTROL_CONTAINER}/${prefix}${table}`,
  }));
}

/**
 * What a prune that began now would decide. `leftOut`: what runs read when the plan that it carries out was made; a
 * reader that has ended since changes nothing.
 */
async function decideNow(
  deps: Dependencies,
  run: PruneRef,
  leftOut?: readonly Reading[],
): Promise<{ picture: VaultPicture; plan: PrunePlan }> {
  const { job, source, control } = jobContextOf(deps, run.job);
  const prefixes = new Map(runsAs(deps).map(({ name, destination }) => [name, destination.prefix]));
  const picture = await readPicture(control, (name) => prefixes.get(name), run.id);
  const now = await presentOf(deps, control, run.job);
  const marginMs = (job.retention?.marginHours ?? DEFAULT_MARGIN_HOURS) * HOUR;
  const isRemoved = ({ notes }: PointInVault) => notes.removed !== undefined && notes.removed.run !== run.id;
  const own = picture.points.filter((point) => point.job === run.job && point.published);
  const decisions = decidePoints(
    own.filter((point) => !isRemoved(point)),
    job.retention,
    { now, timeZone: job.timeZone, madeLast: await lastPoint(control, run.job) },
  );
  const remove = decisions.filter(({ keep }) => !keep).map(({ id }) => id);
  const braked = brakedContainers(picture.points);
  const isAnyBraked = own.some(({ parts }) => parts.some(({ destination }) => isBraked(braked, destination)));
  // Only manifests lead a later prune to content, so they stay while a brake keeps content.
  const over = isAnyBraked
    ? []
    : own
        .filter((point) => isRemoved(point) && isOver(point.notes, now, marginMs))
        .map(({ id }) => id)
        .concat(marginMs === 0 ? remove : []);
  const isRead = ({ job: of, id }: PointName) =>
    (leftOut ?? picture.reading).some(({ job: owner, point }) => owner === of && point === id);
  const expired = over.filter((id) => !isRead({ job: run.job, id }));
  const reading = (leftOut ?? picture.reading).filter(({ job: of, point }) => of === run.job && over.includes(point));
  const keeps = picture.points
    .filter(({ job: of, id }) => !(of === run.job && expired.includes(id)))
    .filter((point) => !point.notes.removed?.emptied || isRead(point))
    .map(({ job: of, id, published }) => ({ job: of, id, ...(!published && { unpublished: true as const }) }));
  const at = now.toISOString();
  // A run in progress may build on content that was there when it began, and its parts do not show that yet.
  const before = new Date(Math.min(now.getTime() - marginMs, picture.quietUntil)).toISOString();
  const leftovers = picture.leftovers.filter(({ job: of }) => of === run.job).map(({ id }) => id);
  const oldRuns = await findOldRuns(control, run, picture, now.getTime() - deps.limits.outcomesMs);
  const runs = { remove, expired, reading, keeps, leftovers, oldRuns };
  const plan = { job: run.job, at, decisions, ...runs, braked, marginMs, before };
  return { picture, plan: withHash({ ...plan, source: source.endpoint }) };
}

/**
 * The time that decides about removals: the service's, which has just written the lock of this run, or the app's own if
 * it is earlier. A clock that is ahead would end margins too early.
 */
async function presentOf(deps: Dependencies, control: ControlStore, job: string): Promise<Date> {
  const [written, own] = [await control.lockWrittenAt(job), deps.now()];
  // The service reports whole seconds. From the start of that second, its other events would lie in the future.
  const latest = written && new Date(written.getTime() + 999);
  return latest && latest < own ? latest : own;
}

/**
 * Why the app may not delete, found out before anything is marked: a marked restore point can neither be restored nor
 * does it free space. No blob has this name, and no blob has this ETag.
 */
async function refusedToDelete(deps: Dependencies, run: RunRef): Promise<string | undefined> {
  const { job } = jobContextOf(deps, run.job);
  const account = deps.blobs(job.retention?.account ?? job.destination.account);
  try {
    await account.deleteBlob(CONTROL_CONTAINER, `${runPrefix(run)}may-delete`, { ifMatch: '0x0' });
    return undefined;
  } catch (error) {
    if (isStorageError(error, 'access-denied')) return error.message;
    if (isStorageError(error, 'not-found', 'precondition')) return undefined;
    throw error;
  }
}

function isOver({ removed }: Notes, now: Date, marginMs: number): boolean {
  if (removed === undefined) return false;
  // If the clock was ahead when the restore point was marked, the margin gets longer, never shorter.
  return removed.emptied !== undefined || Date.parse(removed.at) + marginMs <= now.getTime();
}

interface Marking {
  control: ControlStore;
  run: RunRef;
  plan: PrunePlan;
  /** When each restore point was last proved sound, as far as the plan knew. */
  proofs: ReadonlyMap<string, string | undefined>;
  at: string;
  /** Names this execution of the activity. */
  by: string;
}

const HAS_ENDED = new Error('The prune has ended');
const IS_GONE = new Error('Another execution has removed a restore point already');

/**
 * Changes the notes of a restore point unless the prune has ended by the time that they were read: its record in the
 * chain says what it has marked and emptied, and an operator may have taken a mark back since. The record is made after
 * the summary, from notes that are written again then, so an execution that comes late either finds the summary or
 * cannot write.
 */
async function noteWhileOpen({ control, run }: Marking, id: string, change: (notes: Notes) => Notes): Promise<void> {
  await control.changeNotes({ job: run.job, id }, async (notes) => {
    if (await control.readSummary(run)) throw HAS_ENDED;
    // A prune deletes notes last: a mark would be all that is left, and seem to be of a whole restore point.
    const isGone = Object.keys(notes).length === 0 && !(await control.readSummary({ job: run.job, id }));
    if (isGone) throw IS_GONE;
    return change(notes);
  });
}

/**
 * Marks the restore points that the plan removes, and notes which ones it empties. Returns why the plan is out of date
 * if one of them has been held, verified or unmarked meanwhile, or is read. A run that begins to read a restore point
 * registers first and then checks its notes, so one of the two finds the other.
 */
async function markAll(marking: Marking): Promise<string | undefined> {
  const { plan } = marking;
  try {
    const refusal = await mark(marking);
    if (refusal === undefined) {
      for (const id of plan.expired) await changeRemoval(marking, id, forGood);
      return undefined;
    }
    // A stale plan must leave no marks.
    for (const id of new Set([...plan.remove, ...plan.expired])) {
      await changeRemoval(marking, id, (removal) => withoutMark(removal, marking));
    }
    return refusal;
  } catch (error) {
    if (error !== HAS_ENDED && error !== IS_GONE) throw error;
    return (error as Error).message;
  }
}

async function mark(marking: Marking): Promise<string | undefined> {
  const { control, run, plan, proofs, at, by } = marking;
  const changed = new StorageError('precondition', 'It is held, verified, or no longer marked');
  try {
    for (const id of plan.remove) {
      await noteWhileOpen(marking, id, (notes) => {
        if (notes.hold || (notes.brake && !notes.brake.released) || verifiedAt(notes) !== proofs.get(id)) throw changed;
        return notes.removed ? notes : { ...notes, removed: { at, run: run.id } };
      });
    }
    for (const id of plan.expired) {
      await noteWhileOpen(marking, id, (notes) => {
        if (!notes.removed) throw changed;
        return { ...notes, removed: announced(notes.removed, by, at) };
      });
    }
  } catch (error) {
    if (error !== changed) throw error;
    return 'A restore point was held, verified or unmarked after the plan was made';
  }
  const reading = plan.expired.length === 0 ? [] : await readingIn(control, run.job);
  const found = reading.find(({ point }) => plan.expired.includes(point));
  return found && `Run ${found.run} reads restore point ${found.point}, which the plan deletes`;
}

/** Of the marks that this run has made, leaves those that another execution may already have acted on. */
function withoutMark(removal: Removal, { run, by }: Marking): Removal | undefined {
  const left = withdrawn(removal, by);
  return left.run === run.id && left.emptied === undefined ? undefined : left;
}

async function changeRemoval(
  marking: Marking,
  id: string,
  change: (removal: Removal) => Removal | undefined,
): Promise<void> {
  const { control, run } = marking;
  const { removed } = await control.readNotes({ job: run.job, id });
  if (!removed || isDeepStrictEqual(change(removed), removed)) return;
  await noteWhileOpen(marking, id, ({ removed: now, ...notes }) => {
    const changed = now && change(now);
    return changed ? { ...notes, removed: changed } : notes;
  });
}

function stale(message?: string): Omit<ListContainersResult, 'requests'> {
  return { containers: [], problems: [problemOf('plan-stale', 0, undefined, message)] };
}
