import pLimit from 'p-limit';
import { runsPrefix } from '../domain/control-paths.ts';
import { type ListedPart, partEntries } from '../domain/report.ts';
import { isRestorePoint, type Notes } from '../domain/restore-point.ts';
import { type PartEntry, parseRunId, type RunSummary } from '../domain/run.ts';
import type { ControlStore } from '../storage/control-store.ts';
import { StorageError } from '../storage/storage-error.ts';

/** Everything in a vault that content may be needed by. */
export interface VaultPicture {
  points: PointInVault[];
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
  /** False for a run that has left parts and no summary: it is at work, or was lost, and what it names is needed all the same. */
  published: boolean;
}

const READS_AT_ONCE = 8;

/**
 * Reads every restore point of every job in a vault, from the vault itself, and makes sure of each one's manifest: every part is
 * there, and is the one that was written. Throws `damaged` where anything is missing: then nobody can say what is needed.
 * `prefixOf` gives the prefix template of a configured job, for runs that have no summary to tell it.
 */
export async function readPicture(
  control: ControlStore,
  prefixOf: (job: string) => string | undefined,
  except: string,
): Promise<VaultPicture> {
  const points: PointInVault[] = [];
  const limit = pLimit(READS_AT_ONCE);
  for await (const folder of control.foldersBelow('jobs/')) {
    const job = folder.split('/').at(-2)!;
    const notes = await control.listNotes(job);
    const ids: string[] = [];
    for await (const path of control.foldersBelow(runsPrefix(job))) ids.push(path.split('/').at(-2)!);
    const reads = ids
      .filter((id) => id !== except)
      .map((id) => limit(() => readPoint(control, { job, id }, notes.get(id) ?? {}, prefixOf)));
    const found = (await Promise.all(reads)).filter((point) => point !== undefined);
    points.push(...found);
    const known = new Set(found.map(({ id }) => id));
    // What is noted of a restore point that is not there is a sign that something was taken away.
    for (const [id, { removed }] of notes) {
      if (!known.has(id) && removed === undefined) {
        throw new StorageError('damaged', `Restore point ${id} has notes, and is not in the vault`);
      }
    }
  }
  return { points };
}

async function readPoint(
  control: ControlStore,
  run: { job: string; id: string },
  notes: Notes,
  prefixOf: (job: string) => string | undefined,
): Promise<PointInVault | undefined> {
  const summary = await control.readSummary(run);
  if (summary && !isRestorePoint(summary)) return undefined;
  const listed = await control.listParts(run);
  if (summary) {
    // One that is going already may have been half taken away.
    if (!notes.removed) await assertWhole(control, run, summary, listed);
    const { startedAt, status, parts, destination } = summary;
    return { ...run, startedAt, status, notes, parts, prefix: destination.prefix, published: true };
  }
  const parts = partEntries(listed);
  if (parts.length === 0) return undefined;
  const prefix = prefixOf(run.job);
  const startedAt = parseRunId(run.id)?.startedAt.toISOString();
  if (prefix === undefined || startedAt === undefined) {
    throw new StorageError(
      'damaged',
      `Run ${run.id} has left parts and no summary, and job "${run.job}" is not configured`,
    );
  }
  return { ...run, startedAt, status: 'running', notes, parts, prefix, published: false };
}

/** Throws `damaged` unless every part that a restore point names is there, with the checksum that it names. */
async function assertWhole(
  control: ControlStore,
  run: { job: string; id: string },
  { parts }: RunSummary,
  own: ListedPart[],
): Promise<void> {
  const there = new Map(own.map(({ path, tally }) => [path, tally.sha256]));
  // A retry builds on the parts of earlier runs.
  const others = new Set(parts.map(({ path }) => path.split('/')[3]!).filter((id) => id !== run.id));
  for (const id of others) {
    for (const { path, tally } of await control.listParts({ job: run.job, id })) there.set(path, tally.sha256);
  }
  for (const { path, sha256 } of parts) {
    if (there.get(path) === sha256) continue;
    const how = there.has(path) ? 'is not the one that was written' : 'is missing';
    throw new StorageError('damaged', `${path}, a part of restore point ${run.id}, ${how}`);
  }
}
