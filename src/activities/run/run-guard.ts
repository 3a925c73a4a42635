import { type Standing, standingOf } from '#domain/run/lock.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { observingProgress } from '#storage/requests.ts';

export type GuardedRun = Pick<RunRef, 'id' | 'job' | 'mode' | 'epoch'>;

/** Why a run may no longer continue; `changed`: an account or a selection is not what it began with. */
export type StopReason = Exclude<Standing, 'go'> | 'changed';

const READ_EVERY_MS = 5_000;
const WATCH_EVERY_MS = 2_000;

/** Requests that only watch a run are no progress of it. */
function withoutProgress<T>(work: () => Promise<T>): Promise<T> {
  return observingProgress(() => {}, work);
}

/**
 * Checks every two seconds, until `end` is called, whether the run may continue. Calls `stop` at each check that says
 * no, so `stop` must accept repeated calls. A loop alone would notice only after a long request.
 */
export function watchStanding(guard: RunGuard, stop: (reason: StopReason) => void): { end(): void } {
  const timer = setInterval(async () => {
    const standing = await withoutProgress(() => guard.standing()).catch(() => 'go' as const);
    if (standing !== 'go') stop(standing);
  }, WATCH_EVERY_MS);
  return { end: () => clearInterval(timer) };
}

/**
 * Checks whether a run may continue: it still holds its lock, and it has no request to cancel. It reads the
 * lock at most every five seconds, however often it is asked.
 */
export class RunGuard {
  readonly #control: ControlStore;
  readonly #run: GuardedRun;
  readonly #now: () => Date;
  #readAt = Number.NEGATIVE_INFINITY;
  #standing: Promise<Standing> | undefined;
  #known: Standing | undefined;

  constructor(control: ControlStore, run: GuardedRun, now: () => Date) {
    this.#control = control;
    this.#run = run;
    this.#now = now;
  }

  standing(): Promise<Standing> {
    const now = this.#now().getTime();
    if (this.#standing === undefined || now - this.#readAt >= READ_EVERY_MS) {
      this.#readAt = now;
      this.#standing = this.#read();
      // Callers that await it get the failure. Without this line, a failure that nothing awaits would end the process.
      this.#standing.catch(() => {});
    }
    return this.#standing;
  }

  async #read(): Promise<Standing> {
    try {
      const lock = await this.#control.readLockOf(this.#run);
      this.#known = standingOf(lock?.value, this.#run);
    } catch (error) {
      // If an earlier read found that the run has the lock, one failed read does not end the work in progress.
      if (this.#known === undefined) throw error;
    }
    return this.#known;
  }
}
