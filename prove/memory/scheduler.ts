import { AsyncLocalStorage } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import type { Random } from '../../test/support/builders/random.ts';

/** A process that owns steps: they die with it. */
export interface Owner {
  readonly name: string;
}

export interface Step {
  label: string;
  owner: Owner | undefined;
  run(): void;
  /** Called instead if the owner dies first. */
  dropped?: (() => void) | undefined;
}

/**
 * Virtual time, and the choice of the next step. Everything that waits for the outside world (a request, a timer, a
 * message) is a step. The scheduler picks one ready step at random and runs it until everything waits again. Nothing
 * here knows the real time.
 */
export class Scheduler {
  /** Virtual milliseconds since 1970. */
  now: number;
  taken = 0;
  /** Runs before every step. */
  onStep: () => void = () => {};
  /** Called with every step. */
  trace: (label: string, owner: Owner | undefined) => void = () => {};
  readonly #random: Random;
  /** Milliseconds that a step takes at most. */
  readonly #pace: number;
  readonly #ready: Step[] = [];
  readonly #later: { at: number; step: Step }[] = [];

  constructor(random: Random, now: number, pace: number) {
    this.#random = random;
    this.now = now;
    this.#pace = pace;
  }

  add(step: Step, after = 0): Step {
    if (after > 0) this.#later.push({ at: this.now + after, step });
    else this.#ready.push(step);
    return step;
  }

  /** True if the step had not run yet. */
  remove(step: Step): boolean {
    const ready = this.#ready.indexOf(step);
    if (ready >= 0) this.#ready.splice(ready, 1);
    const later = this.#later.findIndex((entry) => entry.step === step);
    if (later >= 0) this.#later.splice(later, 1);
    return ready >= 0 || later >= 0;
  }

  /** Whether such a step is ready. */
  isWaiting(label: RegExp): boolean {
    return this.#ready.some((step) => label.test(step.label));
  }

  /** Sets every clock forward or back; waiting times stay as long as before. */
  leap(ms: number): void {
    this.now += ms;
    for (const entry of this.#later) entry.at += ms;
  }

  sleep(ms: number, label = 'waited'): Promise<void> {
    return new Promise((resolve) => {
      this.add({ label, owner: undefined, run: resolve }, Math.max(ms, 1));
    });
  }

  /** Drops every step of an owner that has died. */
  drop(owner: Owner): void {
    const gone = [...this.#ready, ...this.#later.map(({ step }) => step)].filter((step) => step.owner === owner);
    for (const step of gone) this.remove(step);
    for (const step of gone) step.dropped?.();
  }

  /** Runs steps until `done`; `idle` if none is left, `exhausted` after too many. */
  async run(done: () => boolean, limit: number): Promise<'done' | 'idle' | 'exhausted'> {
    await settle();
    while (!done()) {
      if (this.taken >= limit) return 'exhausted';
      this.onStep();
      this.#wake();
      if (this.#ready.length === 0) {
        if (this.#later.length === 0) return 'idle';
        this.now = Math.max(this.now, Math.min(...this.#later.map(({ at }) => at)));
        this.#wake();
      }
      const [step] = this.#ready.splice(this.#random.below(this.#ready.length), 1);
      this.taken++;
      this.trace(step!.label, step!.owner);
      step!.run();
      await settle();
      this.now += this.#random.below(this.#pace + 1);
    }
    return 'done';
  }

  #wake(): void {
    for (let index = 0; index < this.#later.length; ) {
      const entry = this.#later[index]!;
      if (entry.at > this.now) index++;
      else {
        this.#later.splice(index, 1);
        this.#ready.push(entry.step);
      }
    }
  }
}

const realSetImmediate = setImmediate;

/** Waits until everything that needs no step has run: immediates run after all promises. */
function settle(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve));
}

/** The process that the running code belongs to, for its timers. */
export const running = new AsyncLocalStorage<Owner>();

/** Replaces Node's timers, also those that are promises, by virtual ones while `work` runs. */
export async function withVirtualTimers<T>(scheduler: Scheduler, work: () => Promise<T>): Promise<T> {
  const real = { setTimeout, setInterval, clearTimeout, clearInterval };
  const sleep = timers.setTimeout;
  const steps = new Map<object, Step>();
  const set = (repeat: boolean) => (call: () => void, ms: number) => {
    const timer = { ref: () => timer, unref: () => timer, hasRef: () => true };
    const owner = running.getStore();
    const arm = () => {
      const run = () => {
        if (repeat) arm();
        else steps.delete(timer);
        call();
      };
      steps.set(timer, scheduler.add({ label: 'a timer fired', owner, run }, Math.max(ms, 1)));
    };
    arm();
    return timer;
  };
  const clear = (timer: object | undefined) => {
    const step = timer && steps.get(timer);
    if (!step) return;
    steps.delete(timer);
    scheduler.remove(step);
  };
  Object.assign(globalThis, {
    setTimeout: set(false),
    setInterval: set(true),
    clearTimeout: clear,
    clearInterval: clear,
  });
  timers.setTimeout = virtualSleep(scheduler) as typeof sleep;
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    Object.assign(globalThis, real);
    timers.setTimeout = sleep;
    syncBuiltinESMExports();
  }
}

function virtualSleep(scheduler: Scheduler) {
  return <T>(ms: number, value?: T, { signal }: { signal?: AbortSignal } = {}) =>
    new Promise<T | undefined>((resolve, reject) => {
      const aborted = () => reject(new DOMException('The operation was aborted', 'AbortError'));
      if (signal?.aborted) return aborted();
      const run = () => resolve(value);
      const step = scheduler.add({ label: 'slept', owner: running.getStore(), run }, Math.max(ms, 1));
      signal?.addEventListener(
        'abort',
        () => {
          if (scheduler.remove(step)) aborted();
        },
        { once: true },
      );
    });
}
