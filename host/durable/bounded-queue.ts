/** Runs tasks in the order of their arrival, a limited number at a time. */
export class BoundedQueue {
  readonly #limit: number;
  #waiting: (() => Promise<void>)[] = [];
  #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The task must not reject. The queue does not start it after `stop`. */
  add(task: () => Promise<void>): void {
    this.#waiting.push(task);
    this.#next();
  }

  #next(): void {
    while (!this.#stopped && this.#running.size < this.#limit) {
      const task = this.#waiting.shift();
      if (task === undefined) return;
      const running = task().finally(() => {
        this.#running.delete(running);
        this.#next();
      });
      this.#running.add(running);
    }
  }

  /** Starts no more tasks, and resolves when the running ones have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting = [];
    await Promise.all(this.#running);
  }
}
