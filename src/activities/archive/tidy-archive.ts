import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import type { PoisonLine } from '#domain/archive/poison.ts';
import type { BlobState } from '#domain/blobs/blob.ts';
import { MergeWalk, type WalkPosition } from '#domain/blobs/merge-walk.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import type { ListedReceipt } from '#storage/control/receipt-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { RunGuard } from '../run/run-guard.ts';
import { type ArchiveContext, archiveContextFor } from './archive-context.ts';
import { endPassed } from './archive-version.ts';
import { type NameWithReceipts, receiptPages } from './receipt-pages.ts';

export interface TidyArchiveInput {
  run: RunRef;
  /** Where to go on among the receipts; absent at the beginning. */
  from?: WalkPosition;
}

export interface TidyArchiveResult {
  next?: WalkPosition;
  stopped?: 'cancelled' | 'superseded';
  requests: Record<string, number>;
  problem?: Problem;
}

const DAY_MS = 86_400_000;

/**
 * After a reconcile or a reprocess: marks as settled what was given up and has been archived since, ends the receipts of versions
 * that are gone and whose owners never could, and removes those of gone versions that have been kept long enough. A stretch at a
 * time. Nothing is taken to be gone because a listing does not show it: it is looked at singly.
 */
export async function tidyArchive(deps: Dependencies, { run, from }: TidyArchiveInput): Promise<TidyArchiveResult> {
  const requests: Record<string, number> = {};
  return countingRequests(requests, async () => {
    const { control, source, job, rule } = jobContextOf(deps, run.job);
    const guard = new RunGuard(control, run, deps.now);
    const place = await archiveContextFor(deps, run.job, run.id, 0);
    const poison = new PoisonStore(control, run.job);
    if (from === undefined) await settlePoison(place, poison, deps.now());
    if (run.mode === 'reprocess') return { requests };
    const keepMs = rule?.receipts && rule.receipts.keepDays * DAY_MS;
    const account = deps.blobs(rule?.receipts?.account ?? job.destination.account);
    const { container } = place.copying;
    const deadline = deps.now().getTime() + deps.limits.scanMs;
    const { prefix } = job.source;
    const listNames = (marker: string | undefined) =>
      source.listBlobs(container, { prefix, ...(marker !== undefined && { marker }) });
    const walk = new MergeWalk(receiptPages(place.receipts, prefix), listNames, { from });
    try {
      if (from === undefined && keepMs !== undefined) {
        await removeOldPoison(account, poison, deps.now().getTime() - keepMs);
      }
      do {
        const standing = await guard.standing();
        if (standing !== 'go') return { stopped: standing, requests };
        for (const { source: named, mirror: present } of await walk.nextPairs(() => false)) {
          const old = (named as NameWithReceipts).receipts.filter(({ etag }) => etag !== present?.etag);
          const over = old.filter((receipt) => isOver(receipt, deps.now(), keepMs));
          if (over.length === 0) continue;
          const now = await source.getProperties(container, named.name);
          for (const receipt of over.filter(({ etag }) => etag !== now?.etag)) {
            if (isEnded(receipt)) await remove(account, receipt.path, receipt.receiptEtag);
            else await endReceipt(place, receipt);
          }
        }
      } while (walk.position !== undefined && deps.now().getTime() < deadline);
    } catch (error) {
      if (!(error instanceof RemovalDenied)) throw error;
      return { requests, problem: problemOf('access-denied-prune', 0, undefined, error.message) };
    }
    const next = walk.position;
    return { requests, ...(next && { next }) };
  });
}

async function endReceipt(place: ArchiveContext, { name, etag }: ListedReceipt): Promise<void> {
  const found = await place.receipts.read(name, etag);
  if (found) await endPassed(place, found);
}

function isEnded({ state }: ListedReceipt): boolean {
  return state === 'done' || state === 'missed';
}

/** Whether a receipt of a version that seems to be gone has to be ended, or may be removed. */
function isOver(receipt: ListedReceipt, now: Date, keepMs: number | undefined): boolean {
  const age = now.getTime() - Date.parse(receipt.at);
  if (isEnded(receipt)) return keepMs !== undefined && age > keepMs;
  return receipt.state === 'failed' || age > 0;
}

async function settlePoison(place: ArchiveContext, store: PoisonStore, now: Date): Promise<void> {
  for await (const entry of store.listAll('open')) {
    if (!(await isSettled(place, entry))) continue;
    await store.change(entry.id, (before) =>
      // Given up once more since it was listed: that may be another version.
      before?.at === entry.at ? { ...before, state: 'settled', settledAt: now.toISOString() } : undefined,
    );
  }
}

async function removeOldPoison(account: BlobAccount, store: PoisonStore, before: number): Promise<void> {
  for await (const { at, path, entryEtag } of store.listAll('settled')) {
    if (Date.parse(at) < before) await remove(account, path, entryEtag);
  }
}

/** Told apart from what the source may refuse. */
class RemovalDenied extends Error {}

async function remove(account: BlobAccount, path: string, ifMatch: string): Promise<void> {
  try {
    await account.deleteBlob(CONTROL_CONTAINER, path, { ifMatch });
  } catch (error) {
    if (isStorageError(error, 'access-denied')) throw new RemovalDenied(error.message);
    // Gone already, or written again: an earlier try, or somebody at work on it.
    if (!isStorageError(error, 'not-found', 'precondition')) throw error;
  }
}

/** Whether the version that was given up is archived or gone, and so is whatever took its place. */
async function isSettled({ receipts, copying }: ArchiveContext, { name }: PoisonLine): Promise<boolean> {
  const present: BlobState | undefined = await copying.source.getProperties(copying.container, name);
  if (!present) return true;
  return (await receipts.read(name, present.etag))?.value?.state === 'done';
}
