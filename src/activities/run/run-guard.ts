import { type Standing, standingOf } from '#domain/run/lock.ts';
import type { RunRef } from '#domain/run/run.ts';
import type { ControlStore } from '#storage/control/control-store.ts';

/** Why a run may no longer continue. */
export type StopReason = Exclude<Standing, 'go'>;

const READ_EVERY_MS = 5_000;
const WATCH_EVERY_MS = 2_000;

/** Calls `stop` once the run may no longer continue, until `end` is called: long requests outlast any loop. */
export function watchStanding(guard: RunGuard, stop: (reason: StopReason) => void): { end(): void } {
  const timer = setInterval(async () => {
    const standing = await guard.standing().catch(() => 'go' as const);
    if (standing !== 'go') stop(standing);
  }, WATCH_EVERY_MS);
  return { end: () => clearInterval(timer) };
}

/**
 * Says whether a run may continue: it still holds the lock of its job, and no one asked to cancel it. Callers may ask
 * as often as they like: it reads the lock every five seconds at most.
 */
export class RunGuard {
  readonly #control: ControlStore;
  readonly #run: Pick<RunRef, 'id' | 'job' | 'epoch'>;
  readonly #now: () => Date;
  #readAt = Number.NEGATIVE_INFINITY;
  #standing: Promise<Standing> | undefined;
  #known: Standing | undefined;

  constructor(control: ControlStore, run: Pick<RunRef, 'id' | 'job' | 'epoch'>, now: () => Date) {
    this.#control = control;
    this.#run = run;
    this.#now = now;
  }

  standing(): Promise<Standing> {
    const now = this.#now().getTime();
    if (this.#standing === undefined || now - this.#readAt >= READ_EVERY_MS) {
      this.#readAt = now;
      this.#standing = this.#read();
      // Each caller gets the failure where it awaits. This keeps one that nothing awaits from ending the process.
      this.#standing.catch(() => {});
    }
    return this.#standing;
  }

  async #read(): Promise<Standing> {
    try {
      const lock = await this.#control.readLock(this.#run.job);
      this.#known = standingOf(lock?.value, this.#run);
    } catch (error) {
      // Once the run was seen to hold the lock, a read that fails is no reason to drop the work in progress.
      if (this.#known === undefined) throw error;
    }
    return this.#known;
  }
}
