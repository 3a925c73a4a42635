import type { ServerResponse } from 'node:http';
import { sendProblem } from '../http/problem.ts';
import { createRouter, type Route } from '../http/router.ts';
import type { HttpCall } from '../http/server.ts';
import { setCookie } from '../http/set-cookie.ts';
import type { HttpData } from '../worker/core-api.ts';
import type { HostedFunction, Listener, TriggerHost } from './trigger.ts';

const ALL_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

export function httpListener(functions: HostedFunction[], { settings }: TriggerHost): Listener {
  const routes = functions.map((hosted): Route<HostedFunction> => {
    const { route, methods } = hosted.trigger;
    return {
      template: `${settings.routePrefix}/${typeof route === 'string' ? route : hosted.name}`,
      methods:
        Array.isArray(methods) && methods.length > 0
          ? methods.map((method) => String(method).toUpperCase())
          : ALL_METHODS,
      target: hosted,
    };
  });
  const route = createRouter(routes);
  let stopped = false;
  return {
    isOpen: (method, path) => route(method, path)?.target.trigger.authLevel === 'anonymous',
    async http(call, response) {
      const match = route(call.method, call.url.pathname);
      if (match === undefined) return false;
      if (stopped) {
        sendProblem(response, {
          status: 503,
          code: 'stopping',
          title: 'Service Unavailable',
          detail: 'The host is stopping.',
        });
      } else {
        const { returnValue } = await match.target.invoke({ http: toRequest(call, match.params) });
        send(response, call, returnValue?.http ?? { statusCode: '204' });
      }
      return true;
    },
    async stop() {
      stopped = true;
    },
  };
}

function toRequest({ method, url, headers, body }: HttpCall, params: Record<string, string>): HttpData {
  const query = new Map<string, string[]>();
  for (const [name, value] of url.searchParams) {
    const values = query.get(name);
    if (values) values.push(value);
    else query.set(name, [value]);
  }
  return {
    url: url.href,
    method,
    nullableHeaders: nullable(Object.entries(headers)),
    nullableParams: nullable(Object.entries(params)),
    // As in Azure, the values of a repeated parameter are joined by commas.
    nullableQuery: nullable([...query].map(([name, values]) => [name, values.join(',')])),
    ...(body.length > 0 ? { body: { bytes: body } } : {}),
  };
}

function nullable(values: [name: string, value: string][]): Record<string, { value: string }> {
  return Object.fromEntries(values.map(([name, value]) => [name, { value }]));
}

function send(
  response: ServerResponse,
  call: HttpCall,
  { statusCode, headers = {}, cookies = [], body }: HttpData,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (cookies.length > 0) response.setHeader('set-cookie', cookies.map(setCookie));
  response.statusCode = Number(statusCode ?? 200);
  const content = body?.bytes ?? body?.string ?? '';
  response.end(call.method === 'HEAD' ? '' : content);
}
