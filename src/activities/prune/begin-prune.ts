import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf, runsAs } from '#app/job-context.ts';
import { DEFAULT_MARGIN_HOURS, retention } from '#domain/prune/retention.ts';
import { CONTROL_CONTAINER, entityFilesPrefix, prunePlanPath, runPrefix } from '#domain/run/control-paths.ts';
import { problemOf } from '#domain/run/problems.ts';
import { type PrunePlan, withHash } from '#domain/run/prune-plan.ts';
import { type Notes, verifiedAt } from '#domain/run/restore-point.ts';
import type { PartEntry, PruneRef, RunRef } from '#domain/run/run.ts';
import { tableOfTask, taskOfTable } from '#domain/run/task-name.ts';
import { isValidTableName } from '#domain/tables/table-name.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import type { ContainerPair, ListContainersResult } from '../run/container-task.ts';
import { brakedContainers, isBraked } from './braked-containers.ts';
import { type PointInVault, readPicture, type VaultPicture } from './vault-picture.ts';

const HOUR = 3_600_000;

/**
 * Begins a prune: decides which restore points to remove, and names the backup containers and the tables to process. A
 * prune that carries out a plan decides again and compares: if anything has changed since, it does nothing. Only then
 * does it mark the restore points that the plan removes.
 */
export async function beginPrune(deps: Dependencies, run: PruneRef): Promise<Omit<ListContainersResult, 'requests'>> {
  const { control } = jobContextOf(deps, run.job);
  const { picture, plan } = await decideNow(deps, run);
  const wanted = run.prune.plan;
  if (wanted === undefined) {
    await control.writeJson(prunePlanPath(run), plan, 'absent');
    const parts = picture.points.filter(({ job }) => job === run.job).flatMap((point) => point.parts);
    const all = [...backupContainersOf(parts), ...(await tablesOf(control, run.job, parts))];
    return { containers: all.filter(({ destination }) => !isBraked(plan.braked, destination)), problems: [] };
  }
  const made = await control.readPrunePlan({ job: run.job, id: wanted.run });
  const planned = await control.readSummary({ job: run.job, id: wanted.run });
  if (!made || !planned || made.hash !== wanted.hash || plan.hash !== made.hash) return stale();
  const refused = await refusedToDelete(deps, run);
  if (refused) return { containers: [], problems: [problemOf('access-denied-prune', 0, undefined, refused)] };
  await control.writeJson(prunePlanPath(run), made, 'absent');
  if (!(await mark(control, run, made, (await control.lockWrittenAt(run.job)) ?? deps.now()))) return stale();
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

/** What a prune that began now would decide. */
export async function decideNow(
  deps: Dependencies,
  run: Pick<RunRef, 'job' | 'id'>,
): Promise<{ picture: VaultPicture; plan: PrunePlan }> {
  const { job, source, control } = jobContextOf(deps, run.job);
  const prefixes = new Map(runsAs(deps).map(({ name, destination }) => [name, destination.prefix]));
  const picture = await readPicture(control, (name) => prefixes.get(name), run.id);
  const now = await presentOf(deps, control, run.job);
  const marginMs = (job.retention?.marginHours ?? DEFAULT_MARGIN_HOURS) * HOUR;
  const isRemoved = ({ notes }: PointInVault) => notes.removed !== undefined && notes.removed.run !== run.id;
  const own = picture.points.filter((point) => point.job === run.job && point.published);
  // After a clock was set back, the restore point that was made last seems to be older than those before it.
  const madeLast = (await control.readLock(run.job))?.value.point;
  const decisions = retention(
    own.filter((point) => !isRemoved(point)).map(pointInTime),
    job.retention,
    now,
    job.timeZone,
  ).map((each) => (each.keep || each.id !== madeLast ? each : { ...each, keep: true, reasons: ['made last'] }));
  const remove = decisions.filter(({ keep }) => !keep).map(({ id }) => id);
  const braked = brakedContainers(picture.points);
  const isAnyBraked = own.some(({ parts }) => parts.some(({ destination }) => isBraked(braked, destination)));
  // Only manifests lead a later prune to content, so they stay while a brake keeps content.
  const expired = isAnyBraked
    ? []
    : own
        .filter((point) => isRemoved(point) && isOver(point.notes, now, marginMs))
        .map(({ id }) => id)
        .concat(marginMs === 0 ? remove : []);
  const keeps = picture.points
    .filter(({ job: of, id, notes }) => !(of === run.job && expired.includes(id)) && !notes.removed?.emptied)
    .map(({ job: of, id, published }) => ({ job: of, id, ...(!published && { unpublished: true as const }) }));
  const at = now.toISOString();
  // A run in progress may build on content that was there when it began, and its parts do not show that yet.
  const before = new Date(Math.min(now.getTime() - marginMs, picture.quietUntil)).toISOString();
  const plan = { job: run.job, at, decisions, remove, expired, keeps, braked, marginMs, before };
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

function pointInTime({ id, startedAt, status, notes }: PointInVault) {
  const { hold, brake } = notes;
  const verified = verifiedAt(notes);
  return {
    id,
    startedAt,
    status: status === 'succeeded' ? ('succeeded' as const) : ('completed-with-failures' as const),
    ...(hold && { hold }),
    ...(brake && !brake.released && { brake }),
    ...(verified !== undefined && { verifiedAt: verified }),
  };
}

function isOver({ removed }: Notes, now: Date, marginMs: number): boolean {
  if (removed === undefined) return false;
  // If the clock was ahead when the restore point was marked, the margin gets longer, never shorter.
  return removed.emptied !== undefined || Date.parse(removed.at) + marginMs <= now.getTime();
}

/** Marks the restore points that the plan removes or empties. Returns false if one of them has been held meanwhile. */
async function mark(control: ControlStore, run: RunRef, plan: PrunePlan, now: Date): Promise<boolean> {
  const at = now.toISOString();
  const held = new StorageError('precondition', 'It is held');
  const marked: string[] = [];
  try {
    for (const id of plan.remove) {
      await control.changeNotes({ job: run.job, id }, (notes) => {
        if (notes.hold || (notes.brake && !notes.brake.released)) throw held;
        return notes.removed ? notes : { ...notes, removed: { at, run: run.id } };
      });
      marked.push(id);
    }
    for (const id of plan.expired) {
      await control.changeNotes({ job: run.job, id }, (notes) => {
        const removed = notes.removed ?? { at, run: run.id };
        return removed.emptied ? notes : { ...notes, removed: { ...removed, emptied: at } };
      });
    }
    return true;
  } catch (error) {
    if (error !== held) throw error;
    // A stale plan must leave no marks.
    for (const id of marked) {
      await control.changeNotes({ job: run.job, id }, ({ removed, ...notes }) =>
        removed && (removed.run !== run.id || removed.emptied) ? { ...notes, removed } : notes,
      );
    }
    return false;
  }
}

function stale(): Omit<ListContainersResult, 'requests'> {
  return { containers: [], problems: [problemOf('plan-stale', 0)] };
}
