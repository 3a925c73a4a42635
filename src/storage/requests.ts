import { AsyncLocalStorage } from 'node:async_hooks';
import type { RequestCounts } from '#domain/run/request-counts.ts';

const current = new AsyncLocalStorage<RequestCounts>();
const observer = new AsyncLocalStorage<() => void>();

/** Runs `work` and adds the requests that the adapter sends for it to `counts`. */
export function countingRequests<T>(counts: RequestCounts, work: () => Promise<T>): Promise<T> {
  return current.run(counts, work);
}

/** Runs `work` and calls `progress` whenever it sends a request or receives content. */
export function observingProgress<T>(progress: () => void, work: () => Promise<T>): Promise<T> {
  return observer.run(progress, work);
}

/** The adapter calls this for every attempt that it sends. */
export function noteRequest(operation: string): void {
  const counts = current.getStore();
  if (counts) counts[operation] = (counts[operation] ?? 0) + 1;
  noteProgress();
}

/** The adapter calls this for every piece of content that it receives: one request may take hours. */
export function noteProgress(): void {
  observer.getStore()?.();
}
