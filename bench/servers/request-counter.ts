import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { operationName } from '#storage/azure/blobs/operation-name.ts';
import { tableOperationName } from '#storage/azure/tables/table-operation-name.ts';

/** Requests by operation. */
export type RequestCounts = Record<string, number>;

/**
 * Counts the requests that this process answers, from Node's own events of HTTP servers: a proxy
 * would cost every contender time. A request of the parent process for the counts resets them.
 */
export function countRequests(): void {
  let counts: RequestCounts = {};
  subscribe('http.server.request.start', (message) => {
    const { request } = message as { request: IncomingMessage };
    if (isAzuritesOwn(request)) return;
    const operation = operationOf(request);
    counts[operation] = (counts[operation] ?? 0) + 1;
  });
  process.on('message', () => {
    process.send?.(counts);
    counts = {};
  });
}

/** Azurite sends a request to itself to check whether a copy may read its source; Azure does not. */
function isAzuritesOwn({ headers }: IncomingMessage): boolean {
  return headers['user-agent']?.startsWith('axios/') ?? false;
}

function operationOf({ method = '', url = '', headers }: IncomingMessage): string {
  // Only the protocol of tables has its own versions.
  if (headers.dataserviceversion !== undefined) return tableOperationName(method, url);
  // Azurite's queues have no containers: a request names the queue, and usually its messages.
  if (/^\/[^/]+\/[^/?]+\/messages/.test(url)) return `${method} messages`;
  return operationName(method, url, (name) => headers[name]?.toString());
}
