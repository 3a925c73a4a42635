import type { LimitFunction } from 'p-limit';
import { mayConcernAccount } from '#app/problem-code.ts';
import { failedItem, isPending, type Outcome, type PendingCopy, type PlannedItem } from '#domain/run/outcome.ts';
import { countOutcome } from '#domain/run/tally.ts';
import { type Attempt, type Finding, processItems, untriedMessage } from './process-items.ts';
import type { RunContext } from './run-context.ts';
import type { StopReason } from './run-guard.ts';

export interface PlannedWork {
  /** Key of the piece that the items are. */
  key: string;
  items: readonly PlannedItem[];
  /** Processes one item. If it throws after `stop`, the item has no outcome. */
  execute(planned: PlannedItem): Promise<Outcome | PendingCopy>;
  /** Ends requests in progress when the run may no longer continue. */
  stop: AbortController;
  slots: LimitFunction;
  atOnce: number;
}

export interface PlannedResults {
  /** Results in the order of the items. */
  results: (Outcome | PendingCopy)[];
  /** The number of items, counted from the first, that were processed. */
  covered: number;
  stopped?: StopReason;
}

/** Processes planned items, as `processItems` does, and counts their outcomes. */
export async function processPlannedItems(
  context: RunContext,
  { key, execute, ...work }: PlannedWork,
): Promise<PlannedResults> {
  const { tally } = context;
  const { items } = work;
  const results: (Outcome | PendingCopy | undefined)[] = [];
  const settle = (index: number, outcome: Outcome) => {
    results[index] = outcome;
    countOutcome(tally, outcome);
    tally.planned++;
  };
  const { covered, stopped } = await processItems(context, {
    ...work,
    items: () => items,
    noteAs: key,
    async perform(planned, index): Promise<Attempt> {
      const result = await execute(planned);
      return {
        finding: findingOf(result),
        settle: () => {
          if (isPending(result)) results[index] = result;
          else settle(index, result);
        },
      };
    },
    failUntried(planned, index, refusal) {
      settle(index, failedItem(planned, refusal.code, untriedMessage(refusal)));
    },
  });
  return {
    results: results.filter((result) => result !== undefined),
    covered,
    ...(stopped !== undefined && { stopped }),
  };
}

function findingOf(result: Outcome | PendingCopy): Finding {
  // Content that is being rehydrated has not been copied yet.
  if (isPending(result)) return result.rehydrating ? undefined : 'served';
  const { code, message } = result;
  return code !== undefined && mayConcernAccount(code) ? { code, message: message ?? code } : 'served';
}
