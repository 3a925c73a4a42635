/** How long an upload waits for a failure to pass. An outage of a day must not cost it. */
const LONGEST_MS = 24 * 3_600_000;
const FIRST_WAIT = 2;
const LONGEST_WAIT = 900;

/**
 * Seconds until an upload is tried again that has failed since then with what may pass: as long again as it has failed
 * so far, at most 15 minutes. Undefined if it has failed for a day.
 */
export function waitToPass(since: Date, now: Date): number | undefined {
  const failedMs = now.getTime() - since.getTime();
  if (failedMs >= LONGEST_MS) return undefined;
  return Math.min(Math.max(Math.ceil(failedMs / 1000), FIRST_WAIT), LONGEST_WAIT);
}
