import { copyKey, partPath, workKey } from '../domain/control-paths.ts';
import type { Standing } from '../domain/lock.ts';
import { isPending, type Outcome, outcomeOf, type PendingCopy, type PlannedCopy } from '../domain/outcome.ts';
import { PartWriter } from '../domain/part.ts';
import type { RunRef } from '../domain/run.ts';
import { countOutcome, emptyTally, type Tally } from '../domain/tally.ts';
import type { ControlStore } from '../storage/control-store.ts';
import { countingRequests, type RequestCounts } from '../storage/requests.ts';
import { abortQuietly, copyBlob } from './copy-blob.ts';
import { type CopyPlace, copyPlace } from './copy-place.ts';
import { type Dependencies, workplaceOf } from './dependencies.ts';
import type { PlanChunk } from './plan-writer.ts';
import { concernsWholeAccount } from './problem-code.ts';
import { RunGuard, watchStanding } from './run-guard.ts';

export interface CopyChunkInput {
  run: RunRef;
  container: string;
  destination: string;
  chunk: PlanChunk;
  /** Index of the first item to work on. */
  from: number;
}

/** Copies of a piece that were pending when its part was written, with the outcomes of those that ended since. */
export interface WorkFile {
  /** Key of the piece. */
  key: string;
  /** Tells executions of the piece apart: the one whose part was first counts. */
  attempt: string;
  round: number;
  pending: number;
  /** Requests of later rounds that changed nothing, and so have told of them nowhere yet. */
  requests?: RequestCounts;
}

export interface CopyChunkResult {
  /** Index of the first item not worked on; absent when the chunk is finished. */
  next?: number;
  work?: WorkFile;
  stopped?: Exclude<Standing, 'go'>;
}

/** So many failures in a row that concern the whole account, and the rest of the piece is not tried. */
const HOPELESS_AFTER = 16;
const NOTE_PROGRESS_MS = 3_000;

/**
 * Works off one plan chunk with bounded concurrency, within a time budget, and writes the outcomes as a part of the
 * manifest. Copies that are pending then are named in a work file, for `confirmCopies`.
 */
export function makeCopyChunk(deps: Dependencies) {
  return async function copyChunk(input: CopyChunkInput): Promise<CopyChunkResult> {
    const { run, container, destination, chunk } = input;
    const { control } = workplaceOf(deps, run.job);
    const key = copyKey(chunk.slice, chunk.chunk, input.from);
    const tally = emptyTally(container, destination);
    const guard = new RunGuard(control, run, deps.now);

    return countingRequests(tally.requests, async () => {
      const standing = await guard.standing();
      if (standing !== 'go') return { stopped: standing };
      const plan = await control.readPart<PlannedCopy, object>(partPath(run, 'plan', container, chunk.key));
      const items = plan.items.slice(input.from);
      const started = deps.now().getTime();
      const largest = items.reduce((most, { source: blob }) => Math.max(most, blob.size), 0);
      const stop = new AbortController();
      const place = await copyPlace(deps, input, largest, stop.signal);

      const results: (Outcome | PendingCopy | undefined)[] = [];
      const underway = new Set<Promise<void>>();
      let hopeless = 0;
      let lastHopeless: Outcome | undefined;
      let stopped: Exclude<Standing, 'go'> | undefined;
      const isHopeless = () => hopeless >= HOPELESS_AFTER;
      let notedAt = started;
      let broken: unknown;

      const copyOne = async (planned: PlannedCopy, index: number) => {
        try {
          const result = await copyBlob(place, planned);
          results[index] = result;
          if (isPending(result)) return;
          countOutcome(tally, result);
          tally.planned++;
          lastHopeless = result.code !== undefined && concernsWholeAccount(result.code) ? result : undefined;
          hopeless = lastHopeless ? hopeless + 1 : 0;
        } catch (error) {
          // A stop by the signal leaves the item without an outcome; anything else ends the activity.
          if (!stop.signal.aborted) broken ??= error;
        }
      };

      const watch = watchStanding(guard, (seen) => {
        stopped = seen;
        stop.abort();
      });
      for (const [index, planned] of items.entries()) {
        const slot = deps.copySlots(() => copyOne(planned, index));
        const tracked: Promise<void> = slot.finally(() => underway.delete(tracked));
        underway.add(tracked);
        if (underway.size >= deps.limits.copiesAtOnce) await Promise.race(underway);
        const now = deps.now().getTime();
        const seen = await guard.standing();
        if (seen !== 'go') stopped = seen;
        if (stopped !== undefined || broken !== undefined || now - started >= deps.limits.copyMs) break;
        if (isHopeless()) break;
        if (now - notedAt >= NOTE_PROGRESS_MS) {
          notedAt = now;
          // Only for people who watch: without it the run goes on just as well.
          await control.noteProgress(run, key, tally).catch(() => {});
        }
      }
      if (stopped !== undefined) stop.abort();
      await Promise.all(underway).finally(() => watch.end());
      if (broken !== undefined) throw broken;

      if (lastHopeless && isHopeless()) giveUpRest(items, results, tally, lastHopeless);
      const known = results.filter((result) => result !== undefined);
      if (stopped !== undefined) {
        if (stopped === 'cancelled') await abortPending(deps, place, known);
        // What was done is told; what was not has no outcome.
        await writePiece(
          deps,
          run,
          key,
          known.filter((result) => !isPending(result)),
          tally,
          // Another execution of this piece may be about to end it as if nothing were left of it.
          { stopped },
        );
        return { stopped };
      }
      const next = results.length < items.length ? { next: input.from + results.length } : {};
      return writePiece(deps, run, key, known, tally, next);
    });
  };
}

/**
 * Stores what came of a piece, however far it got: its part of the manifest, which fixes the piece's extent for good,
 * since the first of several executions to write it wins. Copies that are still pending go into a work file before.
 */
export async function writePiece(
  deps: Dependencies,
  run: RunRef,
  key: string,
  results: (Outcome | PendingCopy)[],
  tally: Tally,
  end: Pick<CopyChunkResult, 'next' | 'stopped'>,
): Promise<CopyChunkResult> {
  const { control } = workplaceOf(deps, run.job);
  const pending = results.filter(isPending);
  const writer = new PartWriter<Outcome>();
  for (const result of results) if (!isPending(result)) writer.add(result);
  if (pending.length === 0) return control.writePart(run, 'copy', key, writer, tally, end);
  const { container, destination } = tally;
  const work: WorkFile = { key, attempt: deps.random(), round: 0, pending: pending.length };
  // It tells its own request itself.
  await countingRequests({}, () => writeWork(control, run, work, pending, emptyTally(container, destination)));
  const later = { items: pending.length, attempt: work.attempt };
  const all = { ...tally, planned: tally.planned + pending.length, later };
  return control.writePart(run, 'copy', key, writer, all, { ...end, work });
}

export async function writeWork(
  control: ControlStore,
  run: RunRef,
  work: WorkFile,
  items: (Outcome | PendingCopy)[],
  tally: Tally,
): Promise<CopyChunkResult> {
  const writer = new PartWriter<Outcome | PendingCopy>();
  for (const item of items) writer.add(item);
  return control.writePart(run, 'pending', workKey(work), writer, tally, { work });
}

/** Names the rest of the piece as failed for the same reason, without trying each of them. */
function giveUpRest(
  items: PlannedCopy[],
  results: (Outcome | PendingCopy | undefined)[],
  tally: Tally,
  { code, message }: Outcome,
): void {
  for (let index = 0; index < items.length; index++) {
    if (results[index] !== undefined) continue;
    const { source } = items[index]!;
    const outcome = outcomeOf(source, 'failed', {
      ...(code !== undefined && { code }),
      message: `Not tried after ${HOPELESS_AFTER} failures in a row: ${message ?? code}`,
      source,
    });
    results[index] = outcome;
    countOutcome(tally, outcome);
    tally.planned++;
  }
}

/** One that cannot be aborted goes on by itself; the next run adopts it or ends it. */
async function abortPending(deps: Dependencies, place: CopyPlace, results: (Outcome | PendingCopy)[]): Promise<void> {
  const abort = ({ planned, copyId }: PendingCopy) =>
    abortQuietly(place.vault, place.destination, place.mirrorPrefix + planned.source.name, copyId);
  await Promise.allSettled(results.filter(isPending).map((copy) => deps.copySlots(() => abort(copy))));
}
