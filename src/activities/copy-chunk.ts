import { copyKey, partPath } from '../domain/control-paths.ts';
import type { Standing } from '../domain/lock.ts';
import { isPending, type Outcome, outcomeOf, type PendingCopy, type PlannedCopy } from '../domain/outcome.ts';
import { PartWriter } from '../domain/part.ts';
import type { RunRef } from '../domain/run.ts';
import { countOutcome, emptyTally, type Tally } from '../domain/tally.ts';
import type { ControlStore } from '../storage/control-store.ts';
import { countingRequests } from '../storage/requests.ts';
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

/** Copies that are still pending, with the outcomes of the piece of work they belong to. */
export interface WorkFile {
  /** Key of the piece; the part it ends in has the same. */
  key: string;
  round: number;
  pending: number;
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
 * manifest, or as a work file while copies are pending.
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
      if (stopped !== undefined) {
        if (stopped === 'cancelled') await abortPending(place, results);
        // What was done is told; what was not has no outcome.
        const settled = results.filter((result) => result !== undefined && !isPending(result));
        await writeResults(control, run, key, settled, tally, {});
        return { stopped };
      }
      const next = results.length < items.length ? { next: input.from + results.length } : {};
      return writeResults(control, run, key, results, tally, next);
    });
  };
}

/** Stores a piece's results: as its part of the manifest when all are outcomes, else as the first work file. */
export async function writeResults(
  control: ControlStore,
  run: RunRef,
  key: string,
  results: (Outcome | PendingCopy | undefined)[],
  tally: Tally,
  end: { next?: number },
  round = 0,
): Promise<CopyChunkResult> {
  const writer = new PartWriter<Outcome | PendingCopy, CopyChunkResult>();
  let pending = 0;
  for (const result of results) {
    if (result === undefined) continue;
    if (isPending(result)) pending++;
    writer.add(result);
  }
  const work: WorkFile = { key, round, pending };
  if (round === 0) {
    // Another execution of this piece may have ended it in the other way; its extent is the piece's, then.
    const other = pending === 0 ? (['pending', workKey(work)] as const) : (['copy', key] as const);
    const found = await control.findPart<CopyChunkResult>(partPath(run, other[0], tally.container, other[1]));
    if (found) return found;
  }
  if (pending === 0) return control.writePart(run, 'copy', key, writer, tally, end);
  return control.writePart(run, 'pending', workKey(work), writer, tally, { ...end, work });
}

export function workKey(work: { key: string; round: number }): string {
  return `${work.key}-r${String(work.round).padStart(3, '0')}`;
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

async function abortPending(place: CopyPlace, results: (Outcome | PendingCopy | undefined)[]): Promise<void> {
  for (const result of results) {
    if (result === undefined || !isPending(result)) continue;
    const name = place.mirrorPrefix + result.planned.source.name;
    await abortQuietly(place.vault, place.destination, name, result.copyId);
  }
}
