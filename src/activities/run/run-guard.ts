import { type Standing, standingOf } from '#domain/run/lock.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';

const LOOK_EVERY_MS = 5_000;

/** Calls `stop` once the run may no longer go on, until `end` is called: long requests outlast any loop. */
export function watchStanding(guard: RunGuard, stop: (standing: Exclude<Standing, 'go'>) => void): { end(): void } {
  const timer = setInterval(async () => {
    const seen = await guard.standing().catch(() => 'go' as const);
    if (seen !== 'go') stop(seen);
  }, 2_000);
  return { end: () => clearInterval(timer) };
}

/**
 * Tells an activity whether its run may go on: it still holds the job's lock, and nobody has asked to cancel it. Asked
 * as often as one likes, it looks at most every five seconds.
 */
export class RunGuard {
  readonly #control: ControlStore;
  readonly #run: RunRef;
  readonly #now: () => Date;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #standing: Promise<Standing> | undefined;
  #known: Standing | undefined;

  constructor(control: ControlStore, run: RunRef, now: () => Date) {
    this.#control = control;
    this.#run = run;
    this.#now = now;
  }

  standing(): Promise<Standing> {
    const now = this.#now().getTime();
    if (this.#standing === undefined || now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now;
      this.#standing = this.#look();
      // Each caller sees a failure where it awaits; this only keeps an unawaited one from ending the process.
      this.#standing.catch(() => {});
    }
    return this.#standing;
  }

  async #look(): Promise<Standing> {
    try {
      const lock = await this.#control.readLock(this.#run.job);
      this.#known = standingOf(lock?.value, this.#run);
    } catch (error) {
      // Once it has been seen to hold the lock, a look that fails is no reason to drop work that is under way.
      if (this.#known === undefined) throw error;
    }
    return this.#known;
  }
}
