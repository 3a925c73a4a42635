import type { Dependencies } from '#app/dependencies.ts';
import { runsPrefix } from '#domain/run/control-paths.ts';
import { isRestorePoint, type Notes } from '#domain/run/restore-point.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { HttpError } from '../http/http-error.ts';
import { findKeptPoint } from '../run/find-restore-point.ts';
import { vaultsOf } from '../run/find-run.ts';

/** A restore point that can be worked on, and the vault it lies in. */
export interface ChosenPoint {
  summary: RunSummary;
  notes: Notes;
  /** Alias. */
  vault: string;
}

export interface PointWanted {
  /** An id, or `latest`. */
  restorePoint?: string | undefined;
  /** Instead: the last good one that began at or before this time, ISO 8601. */
  at?: string | undefined;
  /** Which job's; needed only where several are configured. */
  job?: string | undefined;
}

const LIST = 'GET /api/restore-points lists the restore points';

/**
 * The restore point that is asked for: by its id, or the last one, at all or up to a time. It is found in the vault itself, whatever
 * has become of the catalog. Throws HttpError where there is none, and, unless it is only looked at, where the brake is on: since
 * then every run has kept what may be the damage, and no guess is better than to ask.
 */
export async function choosePoint(
  deps: Dependencies,
  wanted: PointWanted,
  purpose: 'restore' | 'look' = 'restore',
): Promise<ChosenPoint> {
  const { restorePoint = 'latest', at } = wanted;
  if (restorePoint !== 'latest') return findKeptPoint(deps, restorePoint);
  const job = jobOf(deps, wanted.job);
  const before = at === undefined ? Number.POSITIVE_INFINITY : Date.parse(at);
  for (const vault of vaultsOf(deps, job)) {
    const control = new ControlStore(deps.blobs(vault));
    const noted = await control.listNotes(job);
    const ids = (await runsUpTo(control, job, before)).filter((id) => !noted.get(id)?.removed);
    const last = await newestOf(control, job, ids, before);
    if (!last) continue;
    const braked = ids.findLast((id) => isBraked(noted.get(id)) && secondOf(id) <= secondOf(last.id));
    if (braked !== undefined && purpose === 'restore') {
      const sound = await newestOf(control, job, ids.slice(ids.indexOf(braked) + 1), before);
      throw brakeIsOn(braked, noted.get(braked)!, sound?.id);
    }
    return { summary: last, notes: noted.get(last.id) ?? {}, vault };
  }
  const when = at === undefined ? '' : ` at or before ${at}`;
  throw new HttpError(404, 'restore-point-not-found', `Job "${job}" has no restore point${when}`, LIST);
}

/** The job's runs, newest first. Ids tell the time, to the second. */
async function runsUpTo(control: ControlStore, job: string, before: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const folder of control.foldersBelow(runsPrefix(job))) {
    const id = folder.split('/').at(-2)!;
    if (secondOf(id) <= before) ids.push(id);
  }
  return ids.sort().reverse();
}

async function newestOf(
  control: ControlStore,
  job: string,
  ids: string[],
  before: number,
): Promise<RunSummary | undefined> {
  let best: RunSummary | undefined;
  for (const id of ids) {
    if (best && secondOf(best.id) !== secondOf(id)) break;
    const summary = await control.readSummary({ job, id });
    if (!summary || !isRestorePoint(summary) || Date.parse(summary.startedAt) > before) continue;
    if (!best || summary.startedAt > best.startedAt) best = summary;
  }
  return best;
}

function secondOf(id: string): number {
  return parseRunId(id)?.startedAt.getTime() ?? Number.POSITIVE_INFINITY;
}

function isBraked(notes: Notes | undefined): boolean {
  return notes?.brake !== undefined && notes.brake.released === undefined;
}

function brakeIsOn(id: string, { brake }: Notes, sound: string | undefined): HttpError {
  const instead = sound === undefined ? 'There is none from before it' : `The last from before it is ${sound}`;
  return new HttpError(
    409,
    'brake-engaged',
    `Run ${id} found so much changed that its restore point and those after it may hold the damage: ${brake?.reason}. ${instead}`,
    `Name a restore point by its id; or, if all is well, POST /api/restore-points/${id}/release`,
  );
}

/** The job that is named, or the only one there is. */
export function jobOf(deps: Dependencies, named: string | undefined): string {
  const names = deps.configuration.jobs.map(({ name }) => name);
  if (named === undefined && names.length > 1) {
    throw new HttpError(
      400,
      'job-missing',
      'There are several jobs: say whose restore point',
      `One of: ${names.join(', ')}`,
    );
  }
  const job = named ?? names[0];
  if (job === undefined) throw new HttpError(404, 'job-not-found', 'The configuration has archive rules, and no job');
  if (!names.includes(job)) {
    throw new HttpError(404, 'job-not-found', `There is no job "${job}"`, `The jobs are: ${names.join(', ')}`);
  }
  return job;
}
