import type { Listener } from '../triggers/trigger.ts';
import { sendProblem } from './problem.ts';
import type { HttpHandler } from './server.ts';

const PATH = /^\/admin\/functions\/([^/]+)$/;

/** `POST /admin/functions/{name}` invokes a function without an event of its trigger, as in Azure. */
export function adminHandler(listeners: Listener[]): HttpHandler {
  return async ({ method, url, body }, response) => {
    const name = PATH.exec(url.pathname)?.[1];
    if (name === undefined) return false;
    if (method !== 'POST') {
      sendProblem(response, {
        status: 405,
        code: 'method-not-allowed',
        title: 'Method Not Allowed',
        detail: 'Invoke a function with POST.',
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
        detail: `There is no function "${name}" that can be invoked here.`,
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
