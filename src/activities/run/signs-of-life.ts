import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { patienceOf } from '#domain/run/sign-of-life.ts';
import type { ControlStore } from '#storage/control/control-store.ts';
import { observingProgress } from '#storage/requests.ts';
import { type GuardedRun, RunGuard } from './run-guard.ts';

interface RunName {
  job: string;
  id: string;
}

/** When this process last gave a sign of each run, by its own clock. */
type Given = Map<string, number>;

const givenBy = new WeakMap<Dependencies, Given>();

/**
 * Does the work of an activity and gives signs of life of its run: one before, unless this process has just given one,
 * and more while the work makes progress. Work that hangs falls silent. No sign follows the end of the work. A sign
 * that cannot be written never fails the work. A run that may no longer continue gives no more signs.
 */
export async function givingSigns<T>(
  deps: Dependencies,
  control: ControlStore,
  run: GuardedRun,
  work: () => Promise<T>,
  guard: Pick<RunGuard, 'standing'> = new RunGuard(control, run, deps.now),
): Promise<T> {
  const { signEvery, hangs } = patienceOf(deps.limits);
  const time = () => deps.now().getTime();
  const signs = new Signs(deps, control, run, signEvery);
  await signs.giveIfDue();
  let movedAt = time();
  // Its requests are none of the work, and no progress of it.
  const timer = setInterval(() => {
    if (time() - movedAt <= hangs) void signs.giveIfDue(async () => (await guard.standing()) !== 'superseded');
  }, signEvery);
  try {
    return await observingProgress(() => {
      movedAt = time();
    }, work);
  } finally {
    clearInterval(timer);
    await signs.settled();
  }
}

class Signs {
  readonly #deps: Dependencies;
  readonly #control: ControlStore;
  readonly #run: RunName;
  readonly #every: number;
  #inProgress: Promise<void> = Promise.resolve();

  constructor(deps: Dependencies, control: ControlStore, run: RunName, every: number) {
    this.#deps = deps;
    this.#control = control;
    this.#run = run;
    this.#every = every;
  }

  giveIfDue(mayContinue = async () => true): Promise<void> {
    const given = givenBy.get(this.#deps) ?? new Map<string, number>();
    givenBy.set(this.#deps, given);
    const now = this.#deps.now();
    // A time ahead of now is from before the clock was set back.
    const isFresh = (at: number) => at <= now.getTime() && now.getTime() - at < this.#every * 0.9;
    for (const [id, at] of given) if (!isFresh(at)) given.delete(id);
    if (given.has(this.#run.id)) return this.#inProgress;
    // Before the answer, so that activities at the same time give one sign.
    given.set(this.#run.id, now.getTime());
    this.#inProgress = this.#give(now, mayContinue);
    return this.#inProgress;
  }

  settled(): Promise<void> {
    return this.#inProgress;
  }

  async #give(now: Date, mayContinue: () => Promise<boolean>): Promise<void> {
    try {
      if (await mayContinue()) await this.#control.signOfLife(this.#run, now);
    } catch (error) {
      const { job, id } = this.#run;
      this.#deps.telemetry.warn('sign-not-written', { run: id, job, code: problemCodeOf(error, 'destination') });
    }
  }
}
