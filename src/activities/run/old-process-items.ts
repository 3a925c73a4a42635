import type { LimitFunction } from 'p-limit';
import { concernsWholeAccount } from '#app/problem-code.ts';
import type { Standing } from '#domain/run/lock.ts';
import { failureOf, isPending, type Outcome, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import { countOutcome, type Tally } from '#domain/run/tally.ts';
import { type RunGuard, watchStanding } from './run-guard.ts';

export interface Work {
  items: PlannedItem[];
  /** What is done to each of them. Whatever it throws after `stop` leaves the item without an outcome. */
  one: (planned: PlannedItem) => Promise<Outcome | PendingCopy>;
  guard: RunGuard;
  /** Ends what is under way, once the run may no longer go on. */
  stop: AbortController;
  /** Bounds what is under way in this process, whatever the number of activities; `atOnce` bounds it in this one. */
  slots: LimitFunction;
  atOnce: number;
  /** Milliseconds; what has begun by then is brought to its end. */
  budget: number;
  now(): Date;
  /** The outcomes are counted into it as they come. */
  tally: Tally;
  /** Called now and then while the work goes on. Only for people who watch: without it the work goes on just as well. */
  note(): Promise<void>;
}

export interface ProcessedItems {
  /** What came of the items, in their order. */
  results: (Outcome | PendingCopy)[];
  /** How many of the items, from the first on, have been worked on. */
  begun: number;
  stopped?: Exclude<Standing, 'go'>;
}

/** So many failures in a row that concern the whole account, and the rest of the piece is not tried. */
const HOPELESS_AFTER = 16;
const NOTE_PROGRESS_MS = 3_000;

/** Works off items with bounded concurrency, within a time budget, for as long as the run may go on. */
export async function processItems(work: Work): Promise<ProcessedItems> {
  const { items, guard, stop, tally } = work;
  const started = work.now().getTime();
  const results: (Outcome | PendingCopy | undefined)[] = [];
  const underway = new Set<Promise<void>>();
  let hopeless = 0;
  let lastHopeless: Outcome | undefined;
  let stopped: Exclude<Standing, 'go'> | undefined;
  const isHopeless = () => hopeless >= HOPELESS_AFTER;
  let notedAt = started;
  let broken: unknown;

  const doOne = async (planned: PlannedItem, index: number) => {
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

  const watch = watchStanding(guard, (seen) => {
    stopped = seen;
    stop.abort();
  });
  for (const [index, planned] of items.entries()) {
    const slot = work.slots(() => doOne(planned, index));
    const tracked: Promise<void> = slot.finally(() => underway.delete(tracked));
    underway.add(tracked);
    if (underway.size >= work.atOnce) await Promise.race(underway);
    const now = work.now().getTime();
    const seen = await guard.standing();
    if (seen !== 'go') stopped = seen;
    if (stopped !== undefined || broken !== undefined || now - started >= work.budget) break;
    if (isHopeless()) break;
    if (now - notedAt >= NOTE_PROGRESS_MS) {
      notedAt = now;
      await work.note().catch(() => {});
    }
  }
  if (stopped !== undefined) stop.abort();
  await Promise.all(underway).finally(() => watch.end());
  if (broken !== undefined) throw broken;

  if (lastHopeless && isHopeless()) giveUpRest(items, results, tally, lastHopeless);
  return {
    results: results.filter((result) => result !== undefined),
    begun: results.length,
    ...(stopped !== undefined && { stopped }),
  };
}

/** Names the rest of the piece as failed for the same reason, without trying each of them. */
function giveUpRest(
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
