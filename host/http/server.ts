import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { codeOf, HostError, messageOf } from '../host-error.ts';
import { writeLog } from '../log.ts';
import { type AccessRules, isLoopbackAddress, refusal } from './access.ts';
import { readBody } from './body.ts';
import { sendNothing, sendProblem } from './problem.ts';
import { WrongKeys } from './wrong-keys.ts';

/** As in Azure. The app has a smaller limit of its own. */
export const BODY_LIMIT = 100 * 1024 * 1024;

/** An accepted call and its body. */
export interface HttpCall {
  method: string;
  /** The full URL. As in Azure, it and the headers may hold the key. */
  url: URL;
  headers: Record<string, string>;
  body: Buffer;
}

/** Answers a call. Returns false if the path belongs to another handler. */
export type HttpHandler = (call: HttpCall, response: ServerResponse) => Promise<boolean>;

export type IsOpen = (method: string, path: string) => boolean;

export interface HttpServerOptions {
  address: string;
  port: number;
  key: string | undefined;
  handlers: HttpHandler[];
  /** Whether the function of a call is anonymous, and needs no key of the host. */
  isOpen?: IsOpen;
}

export interface HttpServer {
  readonly port: number;
  /** Accepts no more calls, and resolves when all accepted calls have an answer. */
  stop(): Promise<void>;
  /** Closes every connection. */
  destroy(): void;
}

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { address, port, key, handlers, isOpen = () => false } = options;
  const rules: AccessRules = { key, loopback: isLoopbackAddress(address) };
  const wrongKeys = new WrongKeys();
  const server = createServer({ requestTimeout: 60_000 }, (request, response) => {
    // No cache may store an answer, and no browser may guess its type.
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-content-type-options', 'nosniff');
    answer(request, response, { rules, wrongKeys, handlers, isOpen }).catch((error: unknown) => {
      writeLog('error', `${request.method} ${request.url?.split('?')[0]}: ${messageOf(error)}`);
      sendProblem(response, {
        status: 500,
        code: 'internal-error',
        title: 'Internal Server Error',
        detail: 'The function failed. The log of the host has the error.',
      });
    });
  });
  return { port: await listen(server, address, port), stop: () => close(server), destroy: () => destroy(server) };
}

interface Answering {
  rules: AccessRules;
  wrongKeys: WrongKeys;
  handlers: HttpHandler[];
  isOpen: IsOpen;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { rules, wrongKeys, handlers, isOpen }: Answering,
): Promise<void> {
  const method = request.method ?? 'GET';
  const { host } = request.headers;
  const url = addressOf(request);
  const headers = joined(request);
  const given = headers['x-functions-key'] ?? url?.searchParams.get('code') ?? undefined;
  const refused = refusal(rules, {
    ...{ host, origin: headers.origin, site: headers['sec-fetch-site'], key: given },
    isOpen: url !== undefined && isOpen(method, url.pathname),
    isVisit: method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document',
  });
  if (refused !== undefined) {
    if (refused.status === 401 && given) await wrongKeys.received(request.socket.remoteAddress);
    return refuse(request, response, () =>
      refused.status === 401 ? sendNothing(response, 401) : sendProblem(response, refused),
    );
  }
  if (url === undefined) {
    return sendProblem(response, {
      status: 400,
      code: 'bad-address',
      title: 'Bad Request',
      detail: 'The URL of this request is invalid.',
    });
  }
  const body = await readBody(request, BODY_LIMIT);
  if (body === undefined) {
    const detail = `The body is larger than ${BODY_LIMIT} bytes.`;
    return refuse(request, response, () =>
      sendProblem(response, { status: 413, code: 'body-too-large', title: 'Content Too Large', detail }),
    );
  }
  for (const handle of handlers) {
    if (await handle({ method, url, headers, body }, response)) return;
  }
  sendNothing(response, 404);
}

/** Answers before the body is read, and closes the connection: the rest of the body is not another request. */
function refuse(request: IncomingMessage, response: ServerResponse, send: () => void): void {
  response.setHeader('connection', 'close');
  // Many callers only read the answer after they have sent the whole body.
  response.once('finish', () => setTimeout(() => request.destroy(), 500).unref());
  request.resume();
  send();
}

function addressOf(request: IncomingMessage): URL | undefined {
  // Only paths: an absolute URL in the request line is for proxies.
  if (!request.url?.startsWith('/')) return undefined;
  const { host = 'localhost' } = request.headers;
  // With more than a name and a port in it, another path than that of the request would be routed.
  if (!/^[\w.~:[\]-]+$/.test(host)) return undefined;
  return URL.parse(`http://${host}${request.url}`) ?? undefined;
}

function joined(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
}

function listen(server: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: `Port ${port} of ${address} is in use. Stop its process, or choose another port with --port.`,
        EACCES: `This user may not use port ${port} of ${address}. Choose another port with --port.`,
        EADDRNOTAVAIL: `${address} is not an address of this machine. Choose another address with --address.`,
        ENOTFOUND: `${address} is not an address of this machine. Choose another address with --address.`,
      };
      reject(
        new HostError(reasons[codeOf(error) ?? ''] ?? `Cannot listen on ${address}, port ${port}: ${error.message}`),
      );
    });
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function destroy(server: Server): void {
  server.close();
  server.closeAllConnections();
}
