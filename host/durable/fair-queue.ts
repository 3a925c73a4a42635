interface Owner {
  waiting: (() => Promise<void>)[];
  running: number;
}

/**
 * Runs tasks of several owners, a limited number at a time. The owner with the fewest running tasks is next, so one
 * with many tasks delays no other by more than one of them per place. While there is another owner, none takes the last
 * place: the other's next task need not wait for a long one to end.
 */
export class FairQueue {
  readonly #limit: number;
  /** Those with tasks. Among equals, the first is next. */
  readonly #owners = new Map<string, Owner>();
  /** Those that may add tasks at any time. */
  readonly #present = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  enter(name: string): void {
    this.#present.add(name);
  }

  leave(name: string): void {
    this.#present.delete(name);
    this.#next();
  }

  /** The task must not reject. The queue does not start it after `stop`. */
  add(name: string, task: () => Promise<void>): void {
    const owner = this.#owners.get(name) ?? { waiting: [], running: 0 };
    this.#owners.set(name, owner);
    owner.waiting.push(task);
    this.#next();
  }

  /** Starts no more tasks, and resolves when the running ones have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  #next(): void {
    while (!this.#stopped && this.#running.size < this.#limit) {
      const name = this.#chosen();
      if (name === undefined) return;
      this.#start(name, this.#owners.get(name)!);
    }
  }

  #chosen(): string | undefined {
    let chosen: string | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const [name, { waiting, running }] of this.#owners) {
      if (waiting.length === 0 || running >= fewest || running >= this.#most(name)) continue;
      chosen = name;
      fewest = running;
    }
    return chosen;
  }

  /** How many tasks of an owner may run at once. */
  #most(name: string): number {
    const others = this.#present.size - (this.#present.has(name) ? 1 : 0);
    return others > 0 ? Math.max(1, this.#limit - 1) : this.#limit;
  }

  #start(name: string, owner: Owner): void {
    owner.running++;
    const running = owner.waiting.shift()!().finally(() => {
      this.#running.delete(running);
      owner.running--;
      // Behind all that wait.
      this.#owners.delete(name);
      if (owner.running > 0 || owner.waiting.length > 0) this.#owners.set(name, owner);
      this.#next();
    });
    this.#running.add(running);
  }
}
