import type { QueueMessage, StorageQueue } from './storage-queue.ts';

/**
 * Keeps a message from sight while its function runs, renewing at half-time. Ends with the newest receipt, by which the
 * message can be deleted.
 */
export function keepInvisible(queue: StorageQueue, message: QueueMessage, period: number): () => Promise<QueueMessage> {
  let current = message;
  let renewal: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined = setTimeout(renew, period / 2);

  function renew(): void {
    renewal = queue
      .hide(current, period)
      .then((popReceipt) => {
        // Taken over by somebody else, or deleted: nothing is left to keep.
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
