/**
 * Signs of life: lines that the activities of a run add to an append blob of the vault, so that another process, which
 * does not know its orchestration, can tell whether it is in progress. Appends leave no versions.
 */

export interface LastSign {
  /** When the service wrote it, by its own clock. */
  writtenAt: Date;
  /** Milliseconds since then, by the same clock. */
  age: number;
}

/** What follows from the silence after which a run of another host counts as lost, in milliseconds. */
export interface Patience {
  /** A run in progress gives a sign this often. */
  signEvery: number;
  /** An activity without progress for this long gives no more signs. */
  hangs: number;
  /** A run whose orchestration is not here, and that has given no sign at all for longer, never began. */
  begins: number;
  /** A run whose orchestration is not here, and that is silent for longer, is lost. */
  silent: number;
  /** A run that is silent for longer is reported to people. */
  reported: number;
  /** A run whose orchestration is here, and that is silent for longer, is ended by the next start of its job. */
  stalled: number;
}

export function patienceOf({ silentMs }: { silentMs: number }): Patience {
  return {
    signEvery: silentMs / 10,
    begins: silentMs / 5,
    silent: silentMs,
    reported: silentMs * 1.5,
    hangs: silentMs * 3,
    stalled: silentMs * 6,
  };
}

/** What is known of an orchestration here; `unknown`: another host may have it, or it is lost. */
export type Orchestration = 'active' | 'ended' | 'unknown';

/**
 * What a run without a summary is by now: in progress, `lost` if nothing will end it, or `stalled` if only its
 * orchestration says that it is in progress.
 */
export type Life = 'running' | 'lost' | 'stalled';

export function lifeOf(
  orchestration: Orchestration,
  { silence, hasBegun }: { silence: number; hasBegun: boolean },
  patience: Patience,
): Life {
  if (orchestration === 'ended') return 'lost';
  if (silence <= longestSilence(orchestration, hasBegun, patience)) return 'running';
  return orchestration === 'unknown' ? 'lost' : 'stalled';
}

/** After how many milliseconds of silence the next start of its job no longer waits for a run. */
export function longestSilence(
  orchestration: Orchestration,
  hasBegun: boolean,
  { begins, silent, stalled }: Patience,
): number {
  if (orchestration === 'unknown') return hasBegun ? silent : begins;
  return orchestration === 'active' ? stalled : 0;
}

/** Its time is for people only: the clock of the service counts. */
export function signLine(at: Date): string {
  return JSON.stringify({ at: at.toISOString() });
}

/** A time from further ahead than this is from before the clock was set back, and says nothing. */
const CLOCKS_APART_MS = 3_600_000;

/** How long ago the service wrote an object, by its own clock: infinitely, if its clock was set back since. */
export function ageOf({ lastModified, readAt }: { lastModified: Date; readAt: Date }): number {
  const age = readAt.getTime() - lastModified.getTime();
  return age < -CLOCKS_APART_MS ? Number.POSITIVE_INFINITY : Math.max(0, age);
}
