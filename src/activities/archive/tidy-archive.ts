import type { Dependencies } from '#app/dependencies.ts';
import { jobContextOf } from '#app/job-context.ts';
import { type PoisonLine, settledPoison } from '#domain/archive/poison.ts';
import type { Settlement } from '#domain/archive/settlement.ts';
import { MergeWalk, type WalkPosition } from '#domain/blobs/merge-walk.ts';
import { agedRuns } from '#domain/prune/old-runs.ts';
import { CONTROL_CONTAINER } from '#domain/run/control-paths.ts';
import { defined } from '#domain/run/defined.ts';
import { type Problem, problemOf } from '#domain/run/problems.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { BlobAccount } from '#storage/blob-account.ts';
import { type ControlStore, endedRuns } from '#storage/control/control-store.ts';
import { PoisonStore } from '#storage/control/poison-store.ts';
import type { ListedReceipt } from '#storage/control/receipt-store.ts';
import { countingRequests } from '#storage/requests.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { clearRun } from '../run/clear-run.ts';
import { RunGuard, type StopReason } from '../run/run-guard.ts';
import { givingSigns } from '../run/signs-of-life.ts';
import { type ArchiveContext, archiveContextFor } from './archive-context.ts';
import { endPassed } from './archive-version.ts';
import { type NameWithReceipts, receiptPages } from './receipt-pages.ts';

export interface TidyArchiveInput {
  run: RunRef;
  /** Where to continue among the receipts; absent at the beginning. */
  from?: WalkPosition;
}

export interface TidyArchiveResult {
  next?: WalkPosition;
  stopped?: StopReason;
  requests: Record<string, number>;
  problem?: Problem;
}

const DAY_MS = 86_400_000;

/**
 * Follows a reconcile or a reprocess, some receipts at a time. Marks as settled the poisoned uploads that have been
 * archived since, ends the receipts of versions that are gone and whose owners could not end them, and removes the
 * receipts of gone versions after their retention time. A version is not gone because a listing lacks it: each is
 * checked individually.
 */
export async function tidyArchive(deps: Dependencies, input: TidyArchiveInput): Promise<TidyArchiveResult> {
  const requests: Record<string, number> = {};
  const { control } = jobContextOf(deps, input.run.job);
  const work = () => givingSigns(deps, control, input.run, () => tidy(deps, input));
  return countingRequests(requests, async () => ({ ...(await work()), requests }));
}

async function tidy(deps: Dependencies, { run, from }: TidyArchiveInput): Promise<Omit<TidyArchiveResult, 'requests'>> {
  const { control, rule, job } = jobContextOf(deps, run.job);
  const guard = new RunGuard(control, run, deps.now);
  const archive = await archiveContextFor(deps, run.job, run.id, 0);
  const poison = new PoisonStore(control, run.job);
  if (from === undefined) await settlePoison(archive, poison, deps.now());
  if (run.mode === 'reprocess') return {};
  const tidier = new ReceiptTidier(deps, archive, {
    account: deps.blobs(rule?.receipts?.account ?? job.destination.account),
    keepMs: rule?.receipts && rule.receipts.keepDays * DAY_MS,
  });
  const walk = walkOf(archive, job.source.prefix, from);
  const deadline = deps.now().getTime() + deps.limits.scanMs;
  try {
    if (from === undefined) {
      await tidier.removeOldPoison(poison);
      await tidier.clearOldRuns(control, run);
    }
    do {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      for (const { source, beside: present } of await walk.nextPairs(() => false)) {
        await tidier.tidy(source as NameWithReceipts, present?.etag);
      }
    } while (walk.position !== undefined && deps.now().getTime() < deadline);
  } catch (error) {
    if (!(error instanceof RemovalDenied)) throw error;
    return { problem: problemOf('access-denied-prune', 0, undefined, error.message) };
  }
  return walk.position ? { next: walk.position } : {};
}

/** Walks the receipts in parallel with the source. */
function walkOf({ receipts, copying }: ArchiveContext, prefix: string, from: WalkPosition | undefined): MergeWalk {
  const listNames = (marker: string | undefined) =>
    copying.source.listBlobs(copying.container, { prefix, ...(marker !== undefined && { marker }) });
  return new MergeWalk(receiptPages(receipts, prefix), listNames, { from });
}

/** The account that may remove receipts, and how long they stay; without that, forever. */
interface ReceiptRetention {
  account: BlobAccount;
  keepMs: number | undefined;
}

class ReceiptTidier {
  readonly #deps: Dependencies;
  readonly #archive: ArchiveContext;
  readonly #account: BlobAccount;
  readonly #keepMs: number | undefined;

  constructor(deps: Dependencies, archive: ArchiveContext, { account, keepMs }: ReceiptRetention) {
    this.#deps = deps;
    this.#archive = archive;
    this.#account = account;
    this.#keepMs = keepMs;
  }

  /** Ends or removes receipts of versions that are gone; `listed` is the version that the source lists. */
  async tidy({ name, receipts }: NameWithReceipts, listed: string | undefined): Promise<void> {
    const due = receipts.filter((receipt) => receipt.etag !== listed && this.#isDue(receipt));
    if (due.length === 0) return;
    const { source, container } = this.#archive.copying;
    const present = await source.getProperties(container, name);
    for (const receipt of due) {
      if (receipt.etag === present?.etag) continue;
      if (isEnded(receipt)) await remove(this.#account, receipt.path, receipt.receiptEtag);
      else await this.#end(receipt);
    }
  }

  /** Whether the receipt of a version that seems to be gone is to be ended, or may be removed. */
  #isDue(receipt: ListedReceipt): boolean {
    const age = this.#deps.now().getTime() - Date.parse(receipt.at);
    if (isEnded(receipt)) return this.#keepMs !== undefined && age > this.#keepMs;
    return receipt.state === 'failed' || age > 0;
  }

  async #end({ name, etag }: ListedReceipt): Promise<void> {
    const found = await this.#archive.receipts.read(name, etag);
    if (found) await endPassed(this.#archive, found);
  }

  /** Runs of a rule leave no restore points and cannot be retried: nothing needs more than their summaries. */
  async clearOldRuns(control: ControlStore, { job, id: own }: RunRef): Promise<void> {
    if (this.#keepMs === undefined) return;
    const { outcomesMs, scanMs } = this.#deps.limits;
    const now = this.#deps.now().getTime();
    const isOver = () => this.#deps.now().getTime() >= now + scanMs;
    const uses = { named: new Set([own]), points: new Set<string>() };
    for (const id of agedRuns(endedRuns(await control.listRuns(job)), uses, now - outcomesMs)) {
      if (isOver()) return;
      await removing(() => clearRun(this.#account, { job, id }));
    }
  }

  async removeOldPoison(store: PoisonStore): Promise<void> {
    if (this.#keepMs === undefined) return;
    const before = this.#deps.now().getTime() - this.#keepMs;
    for await (const { at, path, entryEtag } of store.listAll('settled')) {
      if (Date.parse(at) < before) await remove(this.#account, path, entryEtag);
    }
  }
}

function isEnded({ state }: ListedReceipt): boolean {
  return state === 'done' || state === 'missed' || state === 'settled';
}

async function settlePoison(archive: ArchiveContext, store: PoisonStore, now: Date): Promise<void> {
  for await (const entry of store.listAll('open')) {
    const end = await endOf(archive, entry);
    if (!end) continue;
    await store.change(entry.id, (before) =>
      // It may have failed permanently again since it was listed, with another version.
      before?.at === entry.at ? settledPoison(before, now, end.settlement) : undefined,
    );
  }
}

/**
 * How an upload ended: the version that failed is archived, settled or gone, and so is the version that replaced it.
 * Undefined if something is left to archive.
 */
async function endOf(
  { receipts, copying }: ArchiveContext,
  { name }: PoisonLine,
): Promise<{ settlement?: Settlement } | undefined> {
  const present = await copying.source.getProperties(copying.container, name);
  if (!present) return {};
  const receipt = (await receipts.read(name, present.etag))?.value;
  if (receipt?.state === 'settled') return defined({ settlement: receipt.settlement });
  return receipt?.state === 'done' ? {} : undefined;
}

/** Distinguishes a refused removal from everything that the source may refuse. */
class RemovalDenied extends Error {}

async function remove(account: BlobAccount, path: string, ifMatch: string): Promise<void> {
  try {
    await removing(() => account.deleteBlob(CONTROL_CONTAINER, path, { ifMatch }));
  } catch (error) {
    // Already gone, or written again: by an earlier attempt, or by an owner that is archiving.
    if (!isStorageError(error, 'not-found', 'precondition')) throw error;
  }
}

async function removing(removal: () => Promise<unknown>): Promise<void> {
  try {
    await removal();
  } catch (error) {
    throw isStorageError(error, 'access-denied') ? new RemovalDenied(error.message) : error;
  }
}
