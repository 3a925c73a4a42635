import { type ChainEntry, type PruneRecord, restorePointRecord, verificationRecord } from '#domain/run/chain-record.ts';
import { summaryPath } from '#domain/run/control-paths.ts';
import { isForGood, type Removal } from '#domain/run/removal.ts';
import { isRestorePoint, type Notes, type Proof } from '#domain/run/restore-point.ts';
import type { RunSummary } from '#domain/run/run.ts';
import { proofOf } from '#domain/verify/proof.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { ChainStore } from '#storage/control/chain-store.ts';
import { ControlStore } from '#storage/control/control-store.ts';
import { isStorageError, StorageError } from '#storage/storage-error.ts';
import type { Dependencies } from './dependencies.ts';
import { noteProof } from './note-proof.ts';

/** Adds an entry to the chain of a job, and reports the new head, which proves the vault to anyone who keeps it. */
export async function appendEntry(
  deps: Dependencies,
  vault: BlobAccount,
  job: string,
  entry: ChainEntry,
): Promise<void> {
  const { link, isNew } = await new ChainStore(vault).append(job, entry, deps.now());
  if (isNew) deps.telemetry.chainHead(job, link);
}

/**
 * Adds the record of an ended run, if runs like it have one, and notes what a verification found. The caller does so
 * before the lock of the run is free, so nothing is missing when the next run begins. Safe to run twice.
 */
export async function appendToChain(
  deps: Dependencies,
  vault: BlobAccount,
  run: RunSummary,
  { late = false } = {},
): Promise<void> {
  const proof = run.verify && proofOf(run, run.verify);
  const entry = await entryOf(vault, run, proof);
  if (entry) await appendEntry(deps, vault, run.job, { ...entry, ...(late && { late }) });
  if (proof) await noteProof(deps, vault, { job: run.job, id: run.verify!.point }, proof);
}

async function entryOf(vault: BlobAccount, run: RunSummary, proof: Proof | undefined): Promise<ChainEntry | undefined> {
  const control = new ControlStore(vault);
  if (isRestorePoint(run)) return restorePointRecord(run, await nameOf(vault, run), await notesOf(control, run));
  if (proof) return verificationRecord(run.verify!.point, proof, await nameOf(vault, run));
  return run.prune?.plan && pruneRecord(vault, control, run);
}

async function nameOf(vault: BlobAccount, run: RunSummary): Promise<{ path: string; sha256: string }> {
  const path = summaryPath(run);
  const sha256 = await new ChainStore(vault).sha256OfWhole(path);
  if (sha256 === undefined) throw new StorageError('damaged', `The summary of run ${run.id} is missing`);
  return { path, sha256 };
}

/** Damaged notes must not keep a run from ending. */
async function notesOf(control: ControlStore, run: RunSummary): Promise<Notes> {
  try {
    return await control.readNotes(run);
  } catch (error) {
    if (isStorageError(error, 'damaged')) return {};
    throw error;
  }
}

/**
 * By what the notes show, since the prune may have been interrupted. Undefined if it found its plan out of date.
 * Executions of the prune that are still under way change no notes after this.
 */
async function pruneRecord(
  vault: BlobAccount,
  control: ControlStore,
  run: RunSummary,
): Promise<PruneRecord | undefined> {
  const { job, id, status, trigger, counts } = run;
  const plan = await control.readPrunePlan(run);
  if (!plan) return undefined;
  const removed: string[] = [];
  const emptied: string[] = [];
  for (const point of new Set([...plan.remove, ...plan.expired])) {
    const found = await settledRemoval(control, { job, id: point });
    // A restore point without a margin is marked and emptied by one prune, and its notes are gone.
    const isGone = found === 'gone' && plan.expired.includes(point);
    const removal = found === 'gone' ? undefined : found;
    if (plan.remove.includes(point) && (isGone || removal?.run === id)) removed.push(point);
    if (plan.expired.includes(point) && (isGone || (removal && isForGood(removal)))) emptied.push(point);
  }
  const about = { kind: 'prune', run: id, status, trigger, plan: run.prune!.plan!, removed, emptied } as const;
  const cleared = plan.oldRuns?.length ? { cleared: plan.oldRuns } : {};
  return { ...about, ...cleared, deleted: counts.removed ?? 0, summary: await nameOf(vault, run) };
}

/**
 * What the notes of a restore point say of its removal. They are written again as they are: the prune has its summary
 * by now, so an execution of it that has read the notes before cannot write them, and one that reads them later does
 * not.
 */
async function settledRemoval(
  control: ControlStore,
  point: { job: string; id: string },
): Promise<Removal | 'gone' | undefined> {
  const unlessGone = async (notes: Notes) => {
    if (Object.keys(notes).length === 0 && !(await control.readSummary(point))) throw GONE;
    return notes;
  };
  try {
    return (await control.changeNotes(point, unlessGone)).removed;
  } catch (error) {
    if (error === GONE) return 'gone';
    // Damaged notes must not keep a run from ending.
    if (isStorageError(error, 'damaged')) return undefined;
    throw error;
  }
}

/** A prune deletes the notes of a restore point last: writing them again would bring them back. */
const GONE = new Error('The restore point is gone');
