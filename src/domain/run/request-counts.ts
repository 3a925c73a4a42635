/** How many requests were sent, by operation (`ListBlobs`, `CopyBlobFromURL`, …). Every attempt counts. */
export type RequestCounts = Record<string, number>;

export function addRequests(into: RequestCounts, from: RequestCounts): RequestCounts {
  for (const [operation, count] of Object.entries(from)) into[operation] = (into[operation] ?? 0) + count;
  return into;
}
