import type { ServerResponse } from 'node:http';

/** An error answer of the host itself (not of the app), as application/problem+json. */
export interface Problem {
  status: number;
  code: string;
  title: string;
  detail: string;
  headers?: Record<string, string>;
}

export function sendProblem(response: ServerResponse, { headers = {}, ...problem }: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ type: 'about:blank', ...problem });
  response.writeHead(problem.status, { 'content-type': 'application/problem+json', ...headers }).end(body);
}

/** What the Functions host answers to a call without the key, or of a route that it does not have. */
export function sendNothing(response: ServerResponse, status: 401 | 404): void {
  response.writeHead(status, { 'content-length': '0' }).end();
}
