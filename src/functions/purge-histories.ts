import { setTimeout as sleep } from 'node:timers/promises';
import type { Timer } from '@azure/functions';
import { type DurableClient, OrchestrationRuntimeStatus } from 'durable-functions';
import type { Dependencies } from '#app/dependencies.ts';

const { Completed, Failed, Terminated } = OrchestrationRuntimeStatus;
const DAY = 24 * 3_600_000;
/** Days for which the histories of ended orchestrations are kept. The vault has all that matters of their runs. */
const KEPT = 30;
/** As many slices reach back eleven years. */
const SLICES = 12;
/** A function has a time limit. Its excess would end the steps of all runs in its process. */
const LONGEST_MS = 5 * 60_000;

export interface Slice {
  createdTimeFrom: Date;
  createdTimeTo: Date;
}

/** Times before which histories are kept no longer. The first slice is a day, which is all that a daily purge finds. */
export function slicesBefore(now: Date): Slice[] {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY);
  return Array.from({ length: SLICES }, (_, index) => ({
    createdTimeFrom: daysAgo(KEPT + 2 ** (index + 1) - 1),
    createdTimeTo: daysAgo(KEPT + 2 ** index - 1),
  }));
}

/**
 * Purges what Durable Functions has stored of orchestrations that have ended. Orchestrations in progress stay, however
 * old. What does not fit into the time is purged by the host meanwhile, or the next day.
 */
export function purgeHistoriesHandler({ now, telemetry }: Dependencies, longest = LONGEST_MS) {
  return async (_: Timer, client: DurableClient): Promise<void> => {
    const over = new AbortController();
    const late = sleep(longest, 'late' as const, { signal: over.signal }).catch(() => 'late' as const);
    let purged = 0;
    try {
      for (const slice of slicesBefore(now())) {
        const filter = { ...slice, runtimeStatus: [Completed, Failed, Terminated] };
        const result = await Promise.race([client.purgeInstanceHistoryBy(filter), late]);
        if (result === 'late') break;
        purged += result.instancesDeleted;
      }
    } finally {
      over.abort();
      if (purged > 0) telemetry.warn('histories-purged', { orchestrations: String(purged) });
    }
  };
}
