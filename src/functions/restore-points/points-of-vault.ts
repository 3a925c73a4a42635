import pLimit from 'p-limit';
import type { ShownPoint } from '#api/restore-points.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { isRemovedByPrune } from '#app/removed-by-prune.ts';
import { runsPrefix } from '#domain/run/control-paths.ts';
import { defined } from '#domain/run/defined.ts';
import { lackingIn, type PointOnRecord } from '#domain/run/point-on-record.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { isRestorePoint, type Notes } from '#domain/run/restore-point.ts';
import type { RunMode } from '#domain/run/run.ts';
import { type CatalogRow, isChosenRow, type RowChoice } from '#storage/catalog.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { missingPoint } from '../run/absent-point.ts';
import { type CatalogProblem, listRows } from '../run/list-rows.ts';
import { shownNotes, shownPoint } from './shown-restore-point.ts';

/**
 * Maximum number of pages of the catalog to read for one answer, which then ends early with a cursor. Most rows may be
 * of runs that left no restore point.
 */
const PAGES_PER_ANSWER = 20;
/** An answer ends when it is full to this part: pages read what is left to fill, and the last ones next to nothing. */
const FULL = 0.9;
const SUMMARIES_AT_ONCE = 8;

/**
 * The runs that may have left a restore point. Includes `running`: if a run could not write to the catalog when it
 * ended, its row still has that status. The summary decides.
 */
const MAY_BE_POINTS: RowChoice = {
  modes: ['full', 'incremental', 'retry'] satisfies RunMode[],
  statuses: ['succeeded', 'completed-with-failures', 'running'],
  dryRun: false,
};

interface Wanted {
  job?: string | undefined;
  limit: number;
  removed: boolean;
}

export interface PointsPage {
  points: ShownPoint[];
  next?: string | undefined;
  problem?: CatalogProblem;
}

interface Facts {
  notes: Notes;
  onRecord: PointOnRecord | undefined;
  /** Whether it is the last one on record, with which the next backup is compared. */
  isLast: boolean;
  /** Whether the vault has anything of its run. */
  isThere: boolean;
}

/** A page of the restore points in a vault, newest first. */
export async function pointsOfVault(
  deps: Dependencies,
  vault: string,
  { job, limit, removed }: Wanted,
  from: string | undefined,
): Promise<PointsPage> {
  const control = new ControlStore(deps.blobs(vault));
  const atOnce = pLimit(SUMMARIES_AT_ONCE);
  const known = new Map<string, ReturnType<typeof factsOfJob>>();
  const factsOf = async ({ job, id }: CatalogRow): Promise<Facts> => {
    const read = known.get(job) ?? factsOfJob(control, job);
    known.set(job, read);
    const { notes, points, last, runs } = await read;
    return { notes: notes.get(id) ?? {}, onRecord: points.get(id), isLast: id === last, isThere: runs.has(id) };
  };
  const choice: RowChoice = { runsOnly: true, ...defined({ job }) };
  const points: ShownPoint[] = [];
  let next = from;
  let problem: CatalogProblem | undefined;
  for (let page = 0; page < PAGES_PER_ANSWER && points.length < limit * FULL; page++) {
    // Reads no more rows than the answer can list, since a cursor can only continue after a whole page of the catalog.
    const listed = await listRows(deps, vault, { choice, limit: limit - points.length, cursor: next });
    problem ??= listed.problem;
    const shown = listed.rows.map(async (row) => {
      const facts = await factsOf(row);
      // The chain knows of restore points that the row of their run denies.
      if (!isChosenRow(row, MAY_BE_POINTS) && !facts.onRecord) return [];
      return facts.notes.removed && !removed ? [] : atOnce(() => pointOfRow(control, row, facts));
    });
    points.push(...(await Promise.all(shown)).flat());
    next = listed.next;
    if (next === undefined) break;
  }
  return { points, next, ...defined({ problem }) };
}

/** The notes of the restore points of a job, what the chain says of them, and its runs. Each takes one listing. */
async function factsOfJob(control: ControlStore, job: string) {
  const [notes, { points }, runs] = await Promise.all([
    control.listNotes(job),
    control.chain.pointsOnRecord(job),
    runsIn(control, job),
  ]);
  return { notes, points, last: [...points.keys()].at(-1), runs };
}

async function runsIn(control: ControlStore, job: string): Promise<Set<string>> {
  const runs = new Set<string>();
  for await (const folder of control.foldersBelow(runsPrefix(job))) runs.add(folder.split('/').at(-2)!);
  return runs;
}

/**
 * The restore point that the run of a row has left; empty if there is none. The summary is read only if the row does
 * not say what it holds, or if something is missing: it has every part, and so grows with the containers. That the one
 * of the last point is there takes a request: it has to be known before the next backup.
 */
async function pointOfRow(control: ControlStore, row: CatalogRow, facts: Facts): Promise<ShownPoint[]> {
  const { notes, onRecord, isLast, isThere } = facts;
  const { id, job, mode, status, startedAt: time, finishedAt = null } = row;
  const own = { id, job, mode, status, time, finishedAt };
  const isSure = isThere && onRecord && !onRecord.isEmptied && isChosenRow(row, MAY_BE_POINTS);
  if (row.point && isSure && (!isLast || (await control.hasSummary(row))))
    return [{ ...own, ...row.point, ...shownNotes(notes), ...problemOfNotes(notes, onRecord) }];
  try {
    const summary = await control.readSummary(row, onRecord?.sha256);
    if (summary && isRestorePoint(summary))
      return [{ ...shownPoint(summary, notes), ...problemOfNotes(notes, onRecord) }];
    if (summary || !onRecord || onRecord.isEmptied || (await isRemovedByPrune(control, row))) return [];
    throw missingPoint(row.id);
  } catch (error) {
    if (!isStorageError(error, 'damaged')) throw error;
    // One damaged object must not hide the other restore points. This one is listed with the data of the catalog.
    const unknown = { containers: null, blobs: null, tables: null, entities: null, bytes: null, lacks: null };
    const shown = { ...own, ...unknown, ...shownNotes(notes) };
    return [{ ...shown, ...damaged(error.message) }];
  }
}

function problemOfNotes(notes: Notes, onRecord: PointOnRecord | undefined) {
  const lacking = onRecord && lackingIn(notes, onRecord);
  return lacking === undefined ? {} : damaged(`Its notes ${lacking}`);
}

function damaged(message: string) {
  return { problem: { code: 'damaged', message, hint: PROBLEMS.damaged.hint } };
}
