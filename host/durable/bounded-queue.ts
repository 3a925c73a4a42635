/** Runs tasks in order of arrival, a limited number at a time. */
export class BoundedQueue {
  readonly #limit: number;
  #waiting: (() => Promise<void>)[] = [];
  #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The task must not reject. It is never called once the queue has been stopped. */
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

  /** Starts nothing more, and resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting = [];
    await Promise.all(this.#running);
  }
}
