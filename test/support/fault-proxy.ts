import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestAccount } from './accounts.ts';

/** A request as it went over the wire, and how it was answered. */
export interface ProxiedRequest {
  method: string;
  /** Path and query as they came. `before` may change it; mind that account keys sign it. */
  url: string;
  /** Path, still percent-encoded. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  /** Names and values by turns, in the case they were sent in: metadata keys have one. */
  rawHeaders: string[];
  body: Buffer;
  /** Undefined until it is answered, and for good when the connection was dropped. */
  status?: number;
}

export interface ProxiedResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer | string;
}

/** Ends the connection without an answer. */
export const DROP = 'drop';

/** What to do to some requests. The first rule that matches and is not used up applies; the rest pass unharmed. */
export interface FaultRule {
  match(request: ProxiedRequest): boolean;
  /** How often it applies; always, by default. */
  times?: number;
  /** Answers in place of the server, which never sees the request. */
  answer?(request: ProxiedRequest): MaybePromise<ProxiedResponse | typeof DROP>;
  /** Runs before the request is passed on: to wait, or to change something behind its back. */
  before?(request: ProxiedRequest): MaybePromise<void>;
  /** Sees the server's answer once the server is done, and returns what to send: the same, a changed one, or `DROP`. */
  after?(request: ProxiedRequest, response: ProxiedResponse): MaybePromise<ProxiedResponse | typeof DROP>;
}

type MaybePromise<T> = T | Promise<T>;

export interface FaultProxy {
  /** Without a path or trailing slash. */
  readonly url: string;
  /** The account's blobs by way of the proxy; its queues and tables directly. */
  connectionString(account: TestAccount): string;
  readonly rules: FaultRule[];
  /** Every request, in the order of arrival. */
  readonly requests: ProxiedRequest[];
  stop(): Promise<void>;
}

/**
 * A reverse proxy in front of Azurite that shows what the emulator cannot: answers that get lost, copies that stay
 * pending, a service that is busy. The Host header is passed on as it came, since Azurite takes a copy source to be
 * its own only when it names the host that the request named.
 */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port } = new URL(target);
  const agent = new http.Agent({ keepAlive: true });
  const rules: FaultRule[] = [];
  const used = new Map<FaultRule, number>();
  const requests: ProxiedRequest[] = [];

  const ruleFor = (request: ProxiedRequest): FaultRule | undefined => {
    const rule = rules.find(
      (each) => (used.get(each) ?? 0) < (each.times ?? Number.POSITIVE_INFINITY) && each.match(request),
    );
    if (rule) used.set(rule, (used.get(rule) ?? 0) + 1);
    return rule;
  };

  const forward = async (request: ProxiedRequest): Promise<ProxiedResponse> => {
    const sent = http.request({
      hostname,
      port,
      agent,
      method: request.method,
      path: request.url,
      headers: request.rawHeaders,
    });
    sent.end(request.body);
    const [message] = (await once(sent, 'response')) as [http.IncomingMessage];
    return { status: message.statusCode ?? 0, headers: flat(message.headers), body: await buffer(message) };
  };

  const serve = async (incoming: http.IncomingMessage): Promise<ProxiedResponse | typeof DROP> => {
    const url = incoming.url ?? '/';
    const cut = url.indexOf('?');
    const request: ProxiedRequest = {
      method: incoming.method ?? 'GET',
      url,
      path: cut < 0 ? url : url.slice(0, cut),
      query: new URLSearchParams(cut < 0 ? '' : url.slice(cut)),
      headers: flat(incoming.headers),
      rawHeaders: incoming.rawHeaders,
      body: await buffer(incoming),
    };
    requests.push(request);
    const rule = ruleFor(request);
    await rule?.before?.(request);
    let response: ProxiedResponse | typeof DROP;
    if (rule?.answer) response = await rule.answer(request);
    else {
      response = await forward(request);
      if (rule?.after) response = await rule.after(request, response);
    }
    if (response !== DROP) request.status = response.status;
    return response;
  };

  const server = http.createServer((incoming, outgoing) => {
    serve(incoming).then(
      (response) => {
        if (response === DROP) {
          incoming.socket.destroy();
          return;
        }
        const { 'content-length': announced, 'transfer-encoding': _, ...headers } = response.headers;
        // An answer to HEAD announces a length that it does not have.
        const length = incoming.method === 'HEAD' ? announced : String(Buffer.byteLength(response.body));
        outgoing.writeHead(response.status, {
          ...headers,
          ...(length === undefined ? {} : { 'content-length': length }),
        });
        outgoing.end(response.body);
      },
      () => incoming.socket.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    rules,
    requests,
    connectionString: (account) => account.connectionString.replace(account.blobEndpoint, `${url}/${account.name}`),
    async stop() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value!]));
}
