import pLimit from 'p-limit';
import type { RunLock } from '#domain/run/lock.ts';
import { partEntries } from '#domain/run/report.ts';
import { isRestorePoint, type Notes } from '#domain/run/restore-point.ts';
import { isBackup, type PartEntry, type RunSummary } from '#domain/run/run.ts';
import { parseRunId } from '#domain/run/run-id.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';

/** Everything in a vault that content may be needed by. */
export interface VaultPicture {
  points: PointInVault[];
  /** When the first of the backups of other jobs that are at work began, in milliseconds; infinite where none is. */
  quietUntil: number;
}

export interface PointInVault {
  job: string;
  id: string;
  startedAt: string;
  status: RunSummary['status'];
  notes: Notes;
  parts: PartEntry[];
  /** The template of what stands before each name in the mirror. */
  prefix: string;
  /** False for a run that is at work: what it names by now is needed all the same. */
  published: boolean;
}

const READS_AT_ONCE = 8;

/**
 * Reads every restore point of every job in a vault, from the vault itself, and makes sure of each one's manifest: every part is
 * there, and is the one that was written. Throws `damaged` where anything is missing: then nobody can say what is needed. A
 * run without a summary that is not at work has lost it, since whatever ends a run writes one; and a listing that does not show the
 * run that the lock of its job calls the last is not whole.
 * `prefixOf` gives the prefix template of a configured job, for runs that have no summary to tell it.
 */
export async function readPicture(
  control: ControlStore,
  prefixOf: (job: string) => string | undefined,
  except: string,
): Promise<VaultPicture> {
  const points: PointInVault[] = [];
  const locks = new Map<string, RunLock | undefined>();
  for (const job of await control.lockedJobs()) locks.set(job, (await control.readLock(job))?.value);
  const seen = new Set<string>();
  const limit = pLimit(READS_AT_ONCE);
  for await (const folder of control.foldersBelow('jobs/')) {
    const job = folder.split('/').at(-2)!;
    const listed = await control.listNotes(job);
    const runs = await control.listRuns(job);
    for (const id of runs.keys()) seen.add(id);
    // What is told to be no restore point is not read: verifications and reconciles may come by the hour.
    const reads = [...runs]
      .filter(([id, { restorePoint }]) => id !== except && restorePoint !== false)
      .map(([id, { parts }]) =>
        limit(() => readPoint(control, { job, id }, { notes: listed.get(id), parts }, prefixOf)),
      );
    const found = (await Promise.all(reads)).filter((point) => point !== undefined);
    points.push(...found);
    // What is noted of a restore point that is not there is a sign that something was taken away.
    for (const [id, { removed }] of listed) {
      if (!seen.has(id) && removed === undefined) {
        throw new StorageError('damaged', `Restore point ${id} has notes, and is not in the vault`);
      }
    }
  }
  for (const [job, lock] of locks) {
    if (lock?.last === undefined || seen.has(lock.last)) continue;
    throw new StorageError('damaged', `Run ${lock.last}, the last of job "${job}", is not in the vault`);
  }
  const others = [...locks.values()].flatMap((lock) => (lock?.run && lock.run.id !== except ? [lock.run] : []));
  const began = others.filter(({ mode }) => isBackup(mode)).map(({ startedAt }) => Date.parse(startedAt));
  return { points, quietUntil: Math.min(...began) };
}

async function readPoint(
  control: ControlStore,
  run: { job: string; id: string },
  listed: { notes: Notes | undefined; parts: Map<string, string | undefined> },
  prefixOf: (job: string) => string | undefined,
): Promise<PointInVault | undefined> {
  const found = await control.readSummary(run);
  if (found === undefined && (await isAtWork(control, run))) return partsSoFar(control, run, prefixOf);
  // It may have ended since it was looked at.
  const summary = found ?? (await control.readSummary(run));
  if (summary === undefined) {
    // Emptied, and its summary taken away just now.
    if (listed.notes?.removed?.emptied !== undefined) return undefined;
    throw new StorageError('damaged', `Run ${run.id} is not at work, and its summary is missing`);
  }
  if (!isRestorePoint(summary)) return undefined;
  // Each by itself: a listing that shows too few would lose a hold, or a brake, without a sign.
  const notes = await control.readNotes(run);
  // One that is being emptied may have been half taken away.
  if (!notes.removed?.emptied) await assertWhole(control, run, summary, listed.parts);
  const { startedAt, status, parts, destination } = summary;
  return { ...run, startedAt, status, notes, parts, prefix: destination.prefix, published: true };
}

async function isAtWork(control: ControlStore, { job, id }: { job: string; id: string }): Promise<boolean> {
  return (await control.readLock(job))?.value.run?.id === id;
}

/** What a run at work has settled by now. */
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
    throw new StorageError('damaged', `Run ${run.id} is at work, and job "${run.job}" is not configured`);
  }
  return { ...run, startedAt, status: 'running', notes: {}, parts, prefix, published: false };
}

/**
 * Throws `damaged` unless every part that a restore point names is there, with the checksum that it names. `listed` are those of
 * the run itself as they were listed, perhaps before it ended.
 */
async function assertWhole(
  control: ControlStore,
  run: { job: string; id: string },
  { parts }: RunSummary,
  listed: Map<string, string | undefined>,
): Promise<void> {
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
