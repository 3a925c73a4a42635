import type { LimitFunction } from 'p-limit';
import { concernsWholeAccount } from '#app/problem-code.ts';
import { failureOf, isPending, type Outcome, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import { countOutcome, type Tally } from '#domain/run/tally.ts';
import type { RunContext } from './run-context.ts';
import { type StopReason, watchStanding } from './run-guard.ts';

export interface Work {
  /** Key of the piece that the items are. */
  key: string;
  items: PlannedItem[];
  /** Processes one item. If it throws after `stop`, the item has no outcome. */
  one: (planned: PlannedItem) => Promise<Outcome | PendingCopy>;
  /** Ends requests in progress when the run may no longer continue. */
  stop: AbortController;
  /** Bounds the items in progress in this process, in all activities together; `atOnce` bounds those of this one. */
  slots: LimitFunction;
  atOnce: number;
}

export interface ProcessedItems {
  /** Results in the order of the items. */
  results: (Outcome | PendingCopy)[];
  /** How many items, from the first on, were processed. */
  begun: number;
  stopped?: StopReason;
}

/** After so many failures in a row that concern the whole account, the rest of the piece is not tried. */
const HOPELESS_AFTER = 16;
const NOTE_PROGRESS_MS = 3_000;

/**
 * Processes items with bounded concurrency, within the time budget, while the run may continue. Counts their outcomes. An
 * item that began within the budget is processed to its end.
 */
export async function processItems(context: RunContext, work: Work): Promise<ProcessedItems> {
  const { items, key, stop } = work;
  const { tally, guard } = context;
  const { now, limits } = context.deps;
  const started = now().getTime();
  const results: (Outcome | PendingCopy | undefined)[] = [];
  const inProgress = new Set<Promise<void>>();
  let hopeless = 0;
  let lastHopeless: Outcome | undefined;
  let stopped: StopReason | undefined;
  const isHopeless = () => hopeless >= HOPELESS_AFTER;
  let notedAt = started;
  let broken: unknown;

  const processOne = async (planned: PlannedItem, index: number) => {
    try {
      const result = await work.one(planned);
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

  const watch = watchStanding(guard, (reason) => {
    stopped = reason;
    stop.abort();
  });
  for (const [index, planned] of items.entries()) {
    const slot = work.slots(() => processOne(planned, index));
    const tracked: Promise<void> = slot.finally(() => inProgress.delete(tracked));
    inProgress.add(tracked);
    if (inProgress.size >= work.atOnce) await Promise.race(inProgress);
    const at = now().getTime();
    const standing = await guard.standing();
    if (standing !== 'go') stopped = standing;
    if (stopped !== undefined || broken !== undefined || at - started >= limits.copyMs) break;
    if (isHopeless()) break;
    if (at - notedAt >= NOTE_PROGRESS_MS) {
      notedAt = at;
      await context.noteProgress(key).catch(() => {});
    }
  }
  if (stopped !== undefined) stop.abort();
  await Promise.all(inProgress).finally(() => watch.end());
  if (broken !== undefined) throw broken;

  if (lastHopeless && isHopeless()) failRest(items, results, tally, lastHopeless);
  return {
    results: results.filter((result) => result !== undefined),
    begun: results.length,
    ...(stopped !== undefined && { stopped }),
  };
}

/** Fails the rest of the piece for the same reason, without trying it. */
function failRest(
  items: PlannedItem[],
  results: (Outcome | PendingCopy | undefined)[],
  tally: Tally,
  { code, message }: Outcome,
): void {
  for (let index = 0; index < items.length; index++) {
    if (results[index] !== undefined) continue;
    const why = `Not tried after ${HOPELESS_AFTER} failures in a row: ${message ?? code}`;
    const outcome = failureOf(items[index]!, code ?? 'internal', why);
    results[index] = outcome;
    countOutcome(tally, outcome);
    tally.planned++;
  }
}
