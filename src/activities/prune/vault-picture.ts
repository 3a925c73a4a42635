import pLimit from 'p-limit';
import { isRemovedByPrune } from '#app/removed-by-prune.ts';
import { CONTROL_CONTAINER, notesPath } from '#domain/run/control-paths.ts';
import type { RunLock } from '#domain/run/lock.ts';
import { isReader } from '#domain/run/lock-place.ts';
import { lackingIn, type PointOnRecord } from '#domain/run/point-on-record.ts';
import type { PointName, Reading } from '#domain/run/prune-plan.ts';
import { type ReaderRef, readBy } from '#domain/run/reader-lock.ts';
import { partEntries } from '#domain/run/report.ts';
import { isRestorePoint, type Notes } from '#domain/run/restore-point.ts';
import { isBackup, type PartEntry, type RunSummary, runsNamedBy } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import { type ControlStore, endedRuns, type HeldLock } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';

/** Everything in a vault that may need content. */
export interface VaultPicture {
  points: PointInVault[];
  /** What runs in progress read, of any job: their content stays. */
  reading: Reading[];
  /** What was written late of restore points that prunes have removed: signs of life, progress, notes. */
  leftovers: PointName[];
  /** Ended runs that are listed as having left no restore point, and of which there is more than the summary. */
  ended: (PointName & { endedAt: string })[];
  /** When the first of the other jobs' backups in progress began, in milliseconds; infinite if there is none. */
  quietUntil: number;
}

export interface PointInVault {
  job: string;
  id: string;
  startedAt: string;
  status: RunSummary['status'];
  notes: Notes;
  parts: PartEntry[];
  /** The runs of its job whose objects it names: its own, and those that it builds on. */
  builtOn: string[];
  /** Template of the prefix of each name in the backup container. */
  prefix: string;
  /** False for a run in progress: the content that it names by now is needed all the same. */
  published: boolean;
}

const READS_AT_ONCE = 8;

/**
 * Reads every restore point of every job in a vault, from the vault itself, and checks each manifest: every part is
 * there, as it was written. Throws `damaged` if anything is missing, because then nothing shows which content is
 * needed. A run that has no summary and is not in progress has lost it, since everything that ends a run writes one,
 * unless the chain says that a prune has emptied it. A listing without the run that the lock of its job names as the
 * last, or without a restore point that is on record in the chain, is incomplete. `prefixOf` returns the prefix
 * template of a configured job, for runs that have no summary.
 */
export async function readPicture(
  control: ControlStore,
  prefixOf: (job: string) => string | undefined,
  except: string,
): Promise<VaultPicture> {
  const points: PointInVault[] = [];
  const reading: Reading[] = [];
  const leftovers: PointName[] = [];
  const ended: VaultPicture['ended'] = [];
  const locks = new Map<string, RunLock | undefined>();
  for (const job of await control.lockedJobs()) locks.set(job, (await control.readLock(job))?.value);
  const seen = new Set<string>();
  const limit = pLimit(READS_AT_ONCE);
  for await (const folder of control.foldersBelow('jobs/')) {
    const job = folder.split('/').at(-2)!;
    // Before the runs: what is on record by then was there by then.
    const { points: onRecord, damage } = await control.chain.pointsOnRecord(job);
    if (damage) throw damage;
    const listed = await control.listNotes(job);
    const runs = await control.listRuns(job);
    let emptied: Promise<Set<string>> | undefined;
    const isLeftover = async (id: string) => {
      emptied ??= control.chain.emptiedPoints(job);
      if (!(await emptied).has(id)) return false;
      leftovers.push({ job, id });
      return true;
    };
    for (const id of runs.keys()) seen.add(id);
    ended.push(...endedRuns(runs).map((run) => ({ job, ...run })));
    // Runs that are listed as not being restore points are not read: verifications and reconciles may run every hour.
    const reads = [...runs]
      .filter(([id, { restorePoint }]) => id !== except && (restorePoint !== false || onRecord.has(id)))
      .map(([id, { parts }]) =>
        limit(() => {
          const about = { notes: listed.get(id), parts, isLeftover, onRecord: onRecord.get(id) };
          return readPoint(control, { job, id }, about, prefixOf);
        }),
      );
    const found = (await Promise.all(reads)).filter((point) => point !== undefined);
    points.push(...found);
    reading.push(...(await readingIn(control, job)));
    for (const [id, { isEmptied }] of onRecord) {
      if (!isEmptied && !runs.has(id)) await assertEmptied(control, { job, id }, listed.get(id));
    }
    // Notes of a restore point that is missing show that something was deleted.
    for (const [id, { removed }] of listed) {
      if (!seen.has(id) && removed === undefined && !(await isLeftover(id))) {
        throw new StorageError('damaged', `Restore point ${id} has notes, and is not in the vault. ${FORGET(id)}`);
      }
    }
  }
  for (const [job, lock] of locks) {
    if (lock?.last === undefined || seen.has(lock.last)) continue;
    throw new StorageError('damaged', `Run ${lock.last}, the last of job "${job}", is not in the vault`);
  }
  const others = [...locks.values()].flatMap((lock) => (lock?.run && lock.run.id !== except ? [lock.run] : []));
  const began = others.filter(({ mode }) => isBackup(mode)).map(({ startedAt }) => Date.parse(startedAt));
  return { points, reading, leftovers, ended, quietUntil: Math.min(...began) };
}

const FORGET = (id: string) => `If it cannot be restored, POST /api/restore-points/${id}/forget`;

/** The restore points of a job that readers in progress read. */
export async function readingIn(control: ControlStore, job: string): Promise<Reading[]> {
  return (await knownReaders(control, job)).flatMap(({ value: { run } }) => {
    const { point } = readBy(run);
    return point === undefined ? [] : [{ job: parseRunId(point)?.job ?? job, point, run: run.id }];
  });
}

/**
 * The readers of a job in progress. Throws `damaged` if one is unknown that has not ended: it may read anything. Its
 * message says how to end it.
 */
export async function knownReaders(control: ControlStore, job: string): Promise<HeldLock<ReaderRef>[]> {
  const { locks, unknown } = await control.openReaders(job);
  for (const { id, error } of unknown) {
    if (await control.readSummary({ job, id })) continue;
    const how = `Restore it, or end its run: POST /api/runs/${id}/cancel with {"force": true}`;
    throw new StorageError('damaged', `${error.message}. ${how}`);
  }
  return locks;
}

async function readPoint(
  control: ControlStore,
  run: { job: string; id: string },
  listed: {
    notes: Notes | undefined;
    parts: Map<string, string | undefined>;
    isLeftover(id: string): Promise<boolean>;
    onRecord: PointOnRecord | undefined;
  },
  prefixOf: (job: string) => string | undefined,
): Promise<PointInVault | undefined> {
  const recorded = listed.onRecord?.sha256;
  const found = await control.readSummary(run, recorded);
  const holder = found === undefined ? (await control.findLockOf(run))?.value.run : undefined;
  if (holder && isReader(holder.mode)) return undefined;
  if (holder) return partsSoFar(control, run, prefixOf);
  // It may have ended since it was read.
  const summary = found ?? (await control.readSummary(run, recorded));
  if (summary === undefined) {
    // It was emptied, and its summary has just been deleted.
    if (listed.notes?.removed?.emptied !== undefined) return undefined;
    // It was removed, and an activity that was still running has written something since.
    if (await listed.isLeftover(run.id)) return undefined;
    throw new StorageError('damaged', `Run ${run.id} is not in progress, and its summary is missing`);
  }
  if (!isRestorePoint(summary)) return undefined;
  // Read one by one: an incomplete listing would lose a hold or a safety brake without a sign.
  const notes = await protectedNotes(control, run, listed.onRecord);
  if (!notes) return undefined;
  // Parts of one that is being emptied may be deleted already.
  if (!notes.removed?.emptied) await assertWhole(control, run, summary, listed.parts);
  const { startedAt, status, parts, destination } = summary;
  const builtOn = runsNamedBy(summary);
  return { ...run, startedAt, status, notes, parts, builtOn, prefix: destination.prefix, published: true };
}

/**
 * The notes of a restore point, with every protection that the chain says it has; undefined if a prune of another job
 * has deleted the restore point meanwhile. Throws `damaged` if they lack one. An operator may change both meanwhile,
 * one after the other: then both are read again.
 */
async function protectedNotes(
  control: ControlStore,
  run: { job: string; id: string },
  onRecord: PointOnRecord | undefined,
): Promise<Notes | undefined> {
  let on = onRecord;
  let lacking: string | undefined;
  for (let attempt = 0; attempt < 3; attempt++) {
    const notes = await control.readNotes(run);
    lacking = on && lackingIn(notes, on);
    if (lacking === undefined) return notes;
    if (!(await control.readSummary(run))) return undefined;
    on = (await control.chain.pointsOnRecord(run.job)).points.get(run.id);
  }
  const where = `${CONTROL_CONTAINER}/${notesPath(run)}`;
  throw new StorageError('damaged', `${where}: the notes of restore point ${run.id} ${lacking}`);
}

/** Throws `damaged` unless a prune has removed a restore point that is on record and not listed. */
async function assertEmptied(
  control: ControlStore,
  run: { job: string; id: string },
  notes: Notes | undefined,
): Promise<void> {
  if (notes?.removed?.emptied !== undefined) return;
  if (await isRemovedByPrune(control, run)) return;
  throw new StorageError(
    'damaged',
    `Restore point ${run.id} is on record in the chain, and is not in the vault. ${FORGET(run.id)}`,
  );
}

/** The parts that a run in progress has written by now. */
async function partsSoFar(
  control: ControlStore,
  run: { job: string; id: string },
  prefixOf: (job: string) => string | undefined,
): Promise<PointInVault | undefined> {
  const parts = partEntries(await control.listParts(run));
  if (parts.length === 0) return undefined;
  const prefix = prefixOf(run.job);
  const startedAt = parseRunId(run.id)?.startedAt.toISOString();
  if (prefix === undefined || startedAt === undefined) {
    const end = `If no app does its work any more, end it: POST /api/runs/${run.id}/cancel with {"force": true}`;
    throw new StorageError('damaged', `Run ${run.id} has not ended, and job "${run.job}" is not configured. ${end}`);
  }
  return { ...run, startedAt, status: 'running', notes: {}, parts, builtOn: [run.id], prefix, published: false };
}

/**
 * Throws `damaged` unless every part that a restore point names is there, with the checksum that it names. `listed` are
 * the parts of the run itself as they were listed, perhaps before it ended.
 */
async function assertWhole(
  control: ControlStore,
  run: { job: string; id: string },
  summary: RunSummary,
  listed: Map<string, string | undefined>,
): Promise<void> {
  const parts = [...summary.parts, ...(summary.properties ?? [])];
  if (parts.every(({ path, sha256 }) => listed.get(path) === sha256)) return;
  const there = new Map<string, string | undefined>();
  // A retry builds on the parts of earlier runs.
  for (const id of new Set(parts.map(({ path }) => path.split('/')[3]!))) {
    for (const { path, tally } of await control.listParts({ job: run.job, id })) there.set(path, tally.sha256);
  }
  for (const { path, sha256 } of parts) {
    if (there.get(path) === sha256) continue;
    const how = there.has(path) ? 'is not the one that was written' : 'is missing';
    throw new StorageError('damaged', `${path}, a part of restore point ${run.id}, ${how}`);
  }
}
