/**
 * Signals that this host has put a message into a queue, so that the queue's worker does not wait for its next poll.
 */
export class QueueSignals {
  readonly #listeners: { queue: string; wake: () => void }[] = [];

  onMessage(queue: string, wake: () => void): void {
    this.#listeners.push({ queue, wake });
  }

  messageAdded(queue: string): void {
    for (const listener of this.#listeners) if (listener.queue === queue) listener.wake();
  }
}
