/** Wakes those who wait at an empty queue when this host itself puts something there. */
export class QueueBell {
  readonly #listeners: { queue: string; wake: () => void }[] = [];

  listen(queue: string, wake: () => void): void {
    this.#listeners.push({ queue, wake });
  }

  ring(queue: string): void {
    for (const listener of this.#listeners) if (listener.queue === queue) listener.wake();
  }
}
