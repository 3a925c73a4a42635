import type { Run } from './app-api.ts';

/** What there is to know while waiting for a run that is silent elsewhere: since when, until when, and what then. */
export function waitingFor(run: Run, now: Date): string | undefined {
  const { lastSign, countsAsLostAt } = run;
  if (typeof countsAsLostAt !== 'string') return undefined;
  const until = new Date(countsAsLostAt);
  if (Number.isNaN(until.getTime())) return undefined;
  const since =
    typeof lastSign === 'string'
      ? `It gave its last sign of life ${lasting(now.getTime() - Date.parse(lastSign))} ago, at ` +
        clock(new Date(lastSign))
      : 'It has given no sign of life yet';
  return (
    `${since}. If its host has stopped, it counts as lost at ${clock(until)}, in ` +
    `${lasting(until.getTime() - now.getTime())}, and this run starts then`
  );
}

/** A time of the day, as in the ids of runs. */
function clock(at: Date): string {
  return `${at.toISOString().slice(11, 19)} UTC`;
}

/** A length of time in words, from milliseconds. */
export function lasting(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
