import { lockPath, readerPath } from '#domain/run/control-paths.ts';
import type { RunLock } from '#domain/run/lock.ts';
import {
  type ReaderRef,
  readBy,
  readerLock,
  takesTurn,
  type UnlockedReader,
  withNextTurn,
} from '#domain/run/reader-lock.ts';
import type { Removal } from '#domain/run/removal.ts';
import { compareAndSwap } from '#storage/control/compare-and-swap.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { StorageError } from '#storage/storage-error.ts';

/** The lock of a reader, or why it may not read: a prune has marked the restore point, or has removed it. */
export type Registered = { lock: RunLock & { run: ReaderRef } } | { refused: Removal | 'gone' };

/**
 * Registers a run that reads a restore point: from now on, prunes keep what the restore point needs. Whether a prune
 * has marked it is checked only after that, and a prune that begins to delete looks for readers after it has noted so:
 * one of the two finds the other. Undefined if a run of this id was registered before.
 */
export async function registerReader(
  control: ControlStore,
  run: UnlockedReader,
  now: Date,
): Promise<Registered | undefined> {
  // A second execution must not take another turn: no deep verification would read the portion of the first.
  if (takesTurn(run) && (await control.readLockOf(run))) return undefined;
  const turn = takesTurn(run) ? await countTurn(control, run.job, now) : 0;
  const lock = readerLock(run, now, turn);
  if (!(await control.writeJson(readerPath(run), lock, 'absent'))) return undefined;
  const refused = await refusalOf(control, run, now);
  if (!refused) return { lock };
  await control.releaseLock(run, now);
  return { refused };
}

async function refusalOf(control: ControlStore, run: UnlockedReader, now: Date): Promise<Removal | 'gone' | undefined> {
  const { point } = readBy(run);
  if (point === undefined) return undefined;
  const name = { job: run.job, id: point };
  try {
    const { removed } = await control.readNotes(name);
    // A prune deletes the notes after the summary.
    return removed ?? ((await control.readSummary(name)) ? undefined : 'gone');
  } catch (error) {
    // The run does not begin, and must not keep prunes waiting.
    await control.releaseLock(run, now).catch(() => {});
    throw error;
  }
}

/** The turn of this deep verification. The lock of the job counts them, whichever run holds it. */
async function countTurn(control: ControlStore, job: string, now: Date): Promise<number> {
  const counted = await compareAndSwap(async () => {
    const found = await control.readLock(job);
    // Those on record are about as many as a lock counted that is gone: deep verifications continue where they were.
    const before = found?.value.turn ?? (await deepVerifications(control, job));
    const next = withNextTurn(found?.value, job, now, before);
    const isWritten = await control.writeJson(lockPath(job), next, found ? { ifMatch: found.etag } : 'absent');
    return isWritten ? { turn: next.turn! - 1 } : undefined;
  });
  if (!counted) throw new StorageError('precondition', `Other writers keep changing the lock of job "${job}"`);
  return counted.turn;
}

async function deepVerifications(control: ControlStore, job: string): Promise<number> {
  return (await control.chain.listRecords(job)).filter(({ verify }) => verify === 'deep').length;
}
