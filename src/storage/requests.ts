import { AsyncLocalStorage } from 'node:async_hooks';

/** The number of requests by operation (`ListBlobs`, `CopyBlobFromURL`, …). Every attempt counts. */
export type RequestCounts = Record<string, number>;

const current = new AsyncLocalStorage<RequestCounts>();

/** Runs `work` and adds the requests that the adapter sends for it to `counts`. */
export function countingRequests<T>(counts: RequestCounts, work: () => Promise<T>): Promise<T> {
  return current.run(counts, work);
}

/** The adapter calls this for every attempt that it sends. */
export function noteRequest(operation: string): void {
  const counts = current.getStore();
  if (counts) counts[operation] = (counts[operation] ?? 0) + 1;
}

export function addRequests(into: RequestCounts, from: RequestCounts): RequestCounts {
  for (const [operation, count] of Object.entries(from)) into[operation] = (into[operation] ?? 0) + count;
  return into;
}
