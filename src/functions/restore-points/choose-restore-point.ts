import type { Dependencies } from '#app/dependencies.ts';
import { runsPrefix } from '#domain/run/control-paths.ts';
import { lackingIn, type PointOnRecord } from '#domain/run/point-on-record.ts';
import { isRestorePoint, type Notes } from '#domain/run/restore-point.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';
import { HttpError } from '../http/http-error.ts';
import { LIST_POINTS, missingPoint } from '../run/absent-point.ts';
import { configuredJob, namedJob } from '../run/configured-job.ts';
import { findUnmarkedPoint } from '../run/find-restore-point.ts';
import { vaultsOf } from '../run/find-run.ts';

const MOST_READ_AT_ONCE = 32;

/** A restore point that is not marked for removal, and its vault. */
export interface ChosenPoint {
  summary: RunSummary;
  notes: Notes;
  /** Alias. */
  vault: string;
}

/** How a request names a restore point. */
export interface PointRequest {
  /** An id, or `latest`. */
  restorePoint?: string | undefined;
  /** Instead: the last restore point that started at or before this time, ISO 8601. */
  at?: string | undefined;
  /** The job of the restore point; needed only if several are configured. */
  job?: string | undefined;
}

/**
 * The restore point that a request names: by its id, or the last one, of all or up to a time. It comes from the vault
 * itself, so the state of the catalog does not matter. Throws HttpError if there is none. A restore also gets an error
 * while the safety brake is engaged: every restore point since then may hold the damage, and only an operator can tell.
 */
export async function choosePoint(
  deps: Dependencies,
  request: PointRequest,
  purpose: 'restore' | 'verify' = 'restore',
): Promise<ChosenPoint> {
  const { restorePoint = 'latest', at } = request;
  if (restorePoint !== 'latest') return findUnmarkedPoint(deps, restorePoint);
  const job = namedJob(deps, request.job);
  const before = at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at);
  for (const vault of vaultsOf(deps, job)) {
    const control = new ControlStore(deps.blobs(vault));
    const noted = await control.listNotes(job);
    const { points: onRecord } = await control.chain.pointsOnRecord(job);
    const ids = (await runsUpTo(control, job, before)).filter((id) => !noted.get(id)?.removed);
    const last = await newestOf({ control, job, onRecord }, ids, before);
    assertNoneMissing(onRecord, noted, last, before);
    if (!last) continue;
    const braked = ids.findLast((id) => isBraked(noted.get(id)) && secondOf(id) <= secondOf(last.id));
    if (braked !== undefined && purpose === 'restore') {
      const sound = await newestOf({ control, job, onRecord }, ids.slice(ids.indexOf(braked) + 1), before);
      throw brakeEngaged(braked, noted.get(braked)!, sound?.id);
    }
    return { summary: last, notes: noted.get(last.id) ?? {}, vault };
  }
  configuredJob(deps, job);
  const [when, hint] =
    at === undefined ? ['', `Start a backup: POST /api/jobs/${job}/runs`] : [` at or before ${at}`, LIST_POINTS];
  throw new HttpError(404, 'restore-point-not-found', `Job "${job}" has no restore point${when}`, hint);
}

/** The runs of the job, newest first. An id has the start time, to the second. */
async function runsUpTo(control: ControlStore, job: string, before: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const folder of control.foldersBelow(runsPrefix(job))) {
    const id = folder.split('/').at(-2)!;
    if (secondOf(id) <= before) ids.push(id);
  }
  return ids.sort().reverse();
}

interface PointsOfJob {
  control: ControlStore;
  job: string;
  onRecord: ReadonlyMap<string, PointOnRecord>;
}

/**
 * Throws `damaged` if a restore point is on record that is newer than the last one in the vault, or if notes lack the
 * safety brake that is on record: an older restore point would be given back, or a bad one, without a word.
 */
function assertNoneMissing(
  onRecord: ReadonlyMap<string, PointOnRecord>,
  noted: ReadonlyMap<string, Notes>,
  last: RunSummary | undefined,
  before: number,
): void {
  for (const [id, on] of onRecord) {
    const notes = noted.get(id) ?? {};
    if (on.isEmptied || notes.removed) continue;
    if (on.isBraked && lackingIn(notes, on) !== undefined) throw lackingNotes(id, lackingIn(notes, on)!);
    if (secondOf(id) > before || (last && secondOf(id) <= secondOf(last.id))) continue;
    throw missingPoint(id, last && `. The last one that is there is ${last.id}: name it to restore it`);
  }
}

function lackingNotes(id: string, lacking: string): StorageError {
  return new StorageError('damaged', `The notes of restore point ${id} ${lacking}`);
}

async function newestOf(
  { control, job, onRecord }: PointsOfJob,
  ids: string[],
  before: number,
): Promise<RunSummary | undefined> {
  let best: RunSummary | undefined;
  // Mostly the first ones decide. If backups have stopped, thousands of other runs may come first.
  for (let at = 0, some = 1; at < ids.length; at += some, some = Math.min(2 * some, MOST_READ_AT_ONCE)) {
    const next = ids.slice(at, at + some).filter((id) => !best || secondOf(best.id) === secondOf(id));
    if (next.length === 0) break;
    const read = next.map((id) => control.readSummary({ job, id }, onRecord.get(id)?.sha256));
    for (const summary of await Promise.all(read)) {
      if (!summary || !isRestorePoint(summary) || Date.parse(summary.startedAt) > before) continue;
      if (best && secondOf(best.id) !== secondOf(summary.id)) break;
      if (!best || summary.startedAt > best.startedAt) best = summary;
    }
  }
  return best;
}

function secondOf(id: string): number {
  return parseRunId(id)?.startedAt.getTime() ?? Number.POSITIVE_INFINITY;
}

function isBraked(notes: Notes | undefined): boolean {
  return notes?.brake !== undefined && notes.brake.released === undefined;
}

function brakeEngaged(id: string, { brake }: Notes, sound: string | undefined): HttpError {
  const before = sound === undefined ? 'No restore point is older' : `The last restore point before it is ${sound}`;
  const restore = sound === undefined ? 'an id' : `"${sound}"`;
  return new HttpError(
    409,
    'brake-engaged',
    `The safety brake has been engaged since run ${id}: ${brake?.reason}. Its restore point and later ones may hold ` +
      `the damage. ${before}`,
    `Specify ${restore} as "restorePoint"; or, if the changes are legitimate, POST /api/restore-points/${id}/release`,
  );
}
