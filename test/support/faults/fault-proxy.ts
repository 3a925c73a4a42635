import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { TestAccount } from '../azurite/accounts.ts';

/** A request as it went over the wire, and how it was answered. */
export interface ProxiedRequest {
  service: 'blob' | 'table';
  method: string;
  /** Path and query as they arrived. `before` may change them, but account keys sign them. */
  url: string;
  /** Path, still percent-encoded. */
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  /** Names and values in alternation, in the case in which they were sent: metadata keys have one. */
  rawHeaders: string[];
  body: Buffer;
  /** When it arrived, in milliseconds of a monotonic clock. */
  at: number;
  /** The answer of the service; undefined if it never saw the request. The client may have received another. */
  served?: Answered;
  /** The answer that the client received; undefined before, and always if the connection was dropped. */
  received?: Answered;
  /** Status of that answer. */
  status?: number;
}

export interface Answered {
  status: number;
  headers: Record<string, string>;
  at: number;
  /** Of listings only. */
  body?: string;
}

export interface ProxiedResponse {
  status: number;
  headers: Record<string, string>;
  body: Buffer | string;
  /** Announces a body of this length, and ends the connection after the actual body. */
  announced?: number;
}

/** Ends the connection without an answer. */
export const DROP = 'drop';

/** Changes some requests. The first rule that matches and is not used up applies; other requests pass unchanged. */
export interface FaultRule {
  match(request: ProxiedRequest): boolean;
  /** How often it applies; always by default. */
  times?: number;
  /** Answers instead of the server, which never sees the request. */
  answer?(request: ProxiedRequest): MaybePromise<ProxiedResponse | typeof DROP>;
  /** Runs before the request is passed on: to wait, or to change something first. */
  before?(request: ProxiedRequest): MaybePromise<void>;
  /** Gets the server's answer, and returns what to send: the same, a changed one, or `DROP`. */
  after?(request: ProxiedRequest, response: ProxiedResponse): MaybePromise<ProxiedResponse | typeof DROP>;
}

/**
 * Stands between the rules and the emulator for all requests. For the rules it is a part of the service: it has a state
 * of its own, and a fault may strike its answers.
 */
export type Layer = (request: ProxiedRequest, pass: () => Promise<ProxiedResponse>) => Promise<ProxiedResponse>;

type MaybePromise<T> = T | Promise<T>;

export interface FaultProxy {
  /** Without a path or trailing slash. */
  readonly url: string;
  /** The account with its blobs behind the proxy, its tables too if the proxy has their address; the rest directly. */
  connectionString(account: Pick<TestAccount, 'name' | 'connectionString'>): string;
  readonly rules: FaultRule[];
  /** From the outside in: the last layer calls the emulator. */
  readonly layers: Layer[];
  /** Every request, in the order of arrival. */
  readonly requests: ProxiedRequest[];
  /** Resolves when no request is in progress. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A reverse proxy in front of Azurite that shows what the emulator cannot: lost answers, pending copies, a busy
 * service. It passes the Host header on unchanged, since Azurite recognizes a copy source as its own only if the source
 * names the host that the request names. `tables` is the address of Azurite's table service.
 */
export async function startFaultProxy(target: string, options: { tables?: string } = {}): Promise<FaultProxy> {
  const agent = new http.Agent({ keepAlive: true });
  const rules: FaultRule[] = [];
  const layers: Layer[] = [];
  const used = new Map<FaultRule, number>();
  const requests: ProxiedRequest[] = [];
  const underWay = new Set<Promise<unknown>>();

  const ruleFor = (request: ProxiedRequest): FaultRule | undefined => {
    const rule = rules.find(
      (each) => (used.get(each) ?? 0) < (each.times ?? Number.POSITIVE_INFINITY) && each.match(request),
    );
    if (rule) used.set(rule, (used.get(rule) ?? 0) + 1);
    return rule;
  };

  const forward = async (request: ProxiedRequest, to: URL): Promise<ProxiedResponse> => {
    const sent = http.request({
      hostname: to.hostname,
      port: to.port,
      agent,
      method: request.method,
      path: request.url,
      headers: request.rawHeaders,
    });
    sent.end(request.body);
    const [message] = (await once(sent, 'response')) as [http.IncomingMessage];
    return { status: message.statusCode ?? 0, headers: flat(message.headers), body: await buffer(message) };
  };

  const throughLayers = async (request: ProxiedRequest, to: URL): Promise<ProxiedResponse> => {
    const pass = layers.reduceRight<() => Promise<ProxiedResponse>>(
      (next, layer) => () => layer(request, next),
      () => forward(request, to),
    );
    const response = await pass();
    request.served = answered(response);
    if (request.query.get('comp') === 'list') request.served.body = response.body.toString();
    return response;
  };

  const serve = async (
    incoming: http.IncomingMessage,
    service: ProxiedRequest['service'],
    to: URL,
  ): Promise<ProxiedResponse | typeof DROP> => {
    const url = incoming.url ?? '/';
    const cut = url.indexOf('?');
    const request: ProxiedRequest = {
      service,
      method: incoming.method ?? 'GET',
      url,
      path: cut < 0 ? url : url.slice(0, cut),
      query: new URLSearchParams(cut < 0 ? '' : url.slice(cut)),
      headers: flat(incoming.headers),
      rawHeaders: incoming.rawHeaders,
      body: await buffer(incoming),
      at: performance.now(),
    };
    requests.push(request);
    const rule = ruleFor(request);
    await rule?.before?.(request);
    let response: ProxiedResponse | typeof DROP;
    if (rule?.answer) response = await rule.answer(request);
    else {
      response = await throughLayers(request, to);
      if (rule?.after) response = await rule.after(request, response);
    }
    if (response !== DROP) {
      request.received = answered(response);
      request.status = response.status;
    }
    return response;
  };

  const listen = async (service: ProxiedRequest['service'], address: string) => {
    const to = new URL(address);
    const server = http.createServer((incoming, outgoing) => {
      const served = serve(incoming, service, to).then(
        (response) => send(response, incoming, outgoing),
        () => void incoming.socket.destroy(),
      );
      underWay.add(served);
      void served.finally(() => underWay.delete(served));
    });
    // A connection that is closed as idle just when a request is sent on it would look like a fault.
    server.keepAliveTimeout = 0;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };

  const blobs = await listen('blob', target);
  const tables = options.tables === undefined ? undefined : await listen('table', options.tables);

  return {
    url: blobs.url,
    rules,
    layers,
    requests,
    connectionString: ({ name, connectionString }) => {
      const replaced = connectionString.replace(/BlobEndpoint=[^;]*/, `BlobEndpoint=${blobs.url}/${name}`);
      return tables ? replaced.replace(/TableEndpoint=[^;]*/, `TableEndpoint=${tables.url}/${name}`) : replaced;
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async stop() {
      agent.destroy();
      for (const server of [blobs.server, ...(tables ? [tables.server] : [])]) {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      }
    },
  };
}

/** Whether a request makes the service copy from an address: a blob, or a block of one. */
export const isCopy = ({ headers }: Pick<ProxiedRequest, 'headers'>): boolean => 'x-ms-copy-source' in headers;

function send(
  response: ProxiedResponse | typeof DROP,
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
): void {
  if (response === DROP) {
    incoming.socket.destroy();
    return;
  }
  const { 'content-length': announced, 'transfer-encoding': _, ...headers } = response.headers;
  // An answer to HEAD announces a length without a body.
  const own = incoming.method === 'HEAD' ? announced : String(Buffer.byteLength(response.body));
  const length = response.announced === undefined ? own : String(response.announced);
  outgoing.writeHead(response.status, { ...headers, ...(length === undefined ? {} : { 'content-length': length }) });
  if (response.announced === undefined) outgoing.end(response.body);
  else outgoing.write(response.body, () => incoming.socket.destroy());
}

function answered({ status, headers }: ProxiedResponse): Answered {
  return { status, headers, at: performance.now() };
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value!]));
}
