import type { Listener } from '../triggers/trigger.ts';
import { sendProblem } from './problem.ts';
import type { HttpHandler } from './server.ts';

const PATH = /^\/admin\/functions\/([^/]+)$/;

/** `POST /admin/functions/{name}` fires a function by hand, as in Azure: its trigger's event is made up. */
export function adminHandler(listeners: Listener[]): HttpHandler {
  return async ({ method, url, body }, response) => {
    const name = PATH.exec(url.pathname)?.[1];
    if (name === undefined) return false;
    if (method !== 'POST') {
      sendProblem(response, {
        status: 405,
        code: 'method-not-allowed',
        title: 'Method Not Allowed',
        detail: 'Functions are fired by POST.',
        headers: { allow: 'POST' },
      });
      return true;
    }
    const input = inputOf(body);
    if (input === undefined) {
      sendProblem(response, {
        status: 400,
        code: 'bad-body',
        title: 'Bad Request',
        detail: 'The body must be {} or {"input": …}.',
      });
      return true;
    }
    if (listeners.some(({ fire }) => fire?.(name, input.input) === true)) response.writeHead(202).end();
    else
      sendProblem(response, {
        status: 404,
        code: 'not-found',
        title: 'Not Found',
        detail: `No function "${name}" can be fired by hand.`,
      });
    return true;
  };
}

function inputOf(body: Buffer): { input?: unknown } | undefined {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
