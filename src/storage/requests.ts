import { AsyncLocalStorage } from 'node:async_hooks';

/** How many requests were sent, by operation (`ListBlobs`, `CopyBlobFromURL`, …). Every attempt counts. */
export type RequestCounts = Record<string, number>;

const current = new AsyncLocalStorage<RequestCounts>();

/** Runs `work` and counts the requests that the adapter sends on its behalf into `counts`. */
export function countingRequests<T>(counts: RequestCounts, work: () => Promise<T>): Promise<T> {
  return current.run(counts, work);
}

/** Called by the adapter for every attempt it sends. */
export function noteRequest(operation: string): void {
  const counts = current.getStore();
  if (counts) counts[operation] = (counts[operation] ?? 0) + 1;
}

export function addRequests(into: RequestCounts, from: RequestCounts): RequestCounts {
  for (const [operation, count] of Object.entries(from)) into[operation] = (into[operation] ?? 0) + count;
  return into;
}
