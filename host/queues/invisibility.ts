import type { QueueMessage, StorageQueue } from './storage-queue.ts';

/**
 * Keeps a message invisible while its function runs, and renews at half of the period. The returned function ends this
 * and returns the message with its latest pop receipt, which can delete it.
 */
export function keepInvisible(queue: StorageQueue, message: QueueMessage, period: number): () => Promise<QueueMessage> {
  let current = message;
  let renewal: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined = setTimeout(renew, period / 2);

  function renew(): void {
    renewal = queue
      .hide(current, period)
      .then((popReceipt) => {
        // Another consumer has taken the message, or it was deleted.
        if (popReceipt === undefined) return;
        current = { ...current, popReceipt };
        again(period / 2);
      })
      .catch(() => again(period / 10));
  }

  function again(wait: number): void {
    if (timer !== undefined) timer = setTimeout(renew, wait);
  }

  return async () => {
    clearTimeout(timer);
    timer = undefined;
    await renewal;
    return current;
  };
}
