import type { HttpRequest } from '@azure/functions';

export interface Sent {
  params?: Record<string, string>;
  query?: Record<string, string> | undefined;
  /** A text is sent as it is, and anything else as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  method?: string;
  /** Its query replaces `query`. */
  url?: string | undefined;
}

/** A request, as far as handlers read it. */
export function httpRequest({
  params = {},
  query = {},
  body = '',
  headers = {},
  method = 'GET',
  url,
}: Sent = {}): HttpRequest {
  return {
    params,
    method,
    query: url === undefined ? new URLSearchParams(query) : new URL(url).searchParams,
    headers: new Headers(headers),
    url,
    text: async () => (typeof body === 'string' ? body : JSON.stringify(body)),
  } as unknown as HttpRequest;
}
