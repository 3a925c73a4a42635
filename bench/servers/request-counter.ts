import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { operationName, tableOperationName } from '#storage/azure/blobs/operation-name.ts';

/** Requests by operation. */
export type RequestCounts = Record<string, number>;

/**
 * Counts the requests that this process answers, by what Node itself announces of its HTTP servers: no proxy that
 * would cost every contender time. The parent process asks for the counts, which then begin anew.
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

/** To find out whether a copy may read its source, Azurite sends a request to itself, which Azure does not. */
function isAzuritesOwn({ headers }: IncomingMessage): boolean {
  return headers['user-agent']?.startsWith('axios/') ?? false;
}

function operationOf({ method = '', url = '', headers }: IncomingMessage): string {
  // Only the protocol of tables has versions of its own.
  if (headers.dataserviceversion !== undefined) return tableOperationName(method, url);
  // Azurite's queues have no containers: what is asked of one names it, and mostly its messages.
  if (/^\/[^/]+\/[^/?]+\/messages/.test(url)) return `${method} messages`;
  return operationName(method, url, (name) => headers[name]?.toString());
}
