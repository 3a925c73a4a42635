import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../host-error.ts';
import { readBody } from '../http/body.ts';
import { writeLog } from '../log.ts';
import type { DurableEngine, Outcome } from './engine.ts';
import { hasEnded, type Instance } from './instance.ts';

/** What an orchestration may be given as input, or an event as data. */
const BODY_LIMIT = 64 * 1024 * 1024;

interface Reply {
  status: number;
  body?: unknown;
}

export interface ClientApi {
  /** Where the client in the app calls. It holds a random token, without which nothing is answered. */
  readonly rpcBaseUrl: string;
  stop(): Promise<void>;
}

/** The HTTP interface behind the durable client binding, on a loopback port of its own that only the app knows. */
export async function startClientApi(engine: DurableEngine): Promise<ClientApi> {
  const base = `/${randomBytes(24).toString('hex')}/durabletask/`;
  const server = createServer((request, response) => {
    void answer(engine, base, request)
      .catch((error: unknown): Reply => {
        writeLog('error', `Durable client: ${messageOf(error)}`);
        return { status: 500, body: messageOf(error) };
      })
      .then(({ status, body }) => send(response, status, body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { rpcBaseUrl: `http://127.0.0.1:${port}${base}`, stop: () => stop(server) };
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(body === undefined ? '' : JSON.stringify(body));
}

async function answer(engine: DurableEngine, base: string, request: IncomingMessage): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (!url.pathname.startsWith(base)) return { status: 404 };
  const [kind, ...rest] = url.pathname.slice(base.length).split('/').map(decodeURIComponent);
  const body = await readBody(request, BODY_LIMIT);
  if (body === undefined) return { status: 413, body: `The data is larger than ${BODY_LIMIT} bytes.` };
  const text = body.toString();
  const call = `${request.method} ${kind}`;
  if (call === 'POST orchestrators') return startNew(engine, rest, text);
  if (call === 'GET instances')
    return rest[0] ? status(engine, rest[0], url.searchParams) : list(engine, url.searchParams);
  if (call === 'DELETE instances') return purge(engine, rest[0], url.searchParams);
  if (call === 'POST instances') return control(engine, rest, url.searchParams, text);
  if (kind === 'entities') return { status: 501, body: 'Entities are not supported by this host.' };
  return { status: 404 };
}

async function startNew(engine: DurableEngine, [name = '', wanted = '']: string[], text: string): Promise<Reply> {
  if (text !== '' && !isJson(text)) return { status: 400, body: 'The input is not valid JSON.' };
  const id = wanted === '' ? randomUUID().replaceAll('-', '') : wanted;
  const outcome = await engine.startNew(id, name, text === '' ? 'null' : text);
  if (outcome === 'no-such-function') return { status: 404, body: `There is no orchestrator "${name}" in the app.` };
  if (outcome === 'exists') return { status: 409, body: `An instance "${id}" is already running.` };
  return { status: 202, body: { id } };
}

async function control(
  engine: DurableEngine,
  [id = '', what, name = '']: string[],
  query: URLSearchParams,
  text: string,
): Promise<Reply> {
  switch (what) {
    case 'raiseEvent':
      if (text !== '' && !isJson(text)) return { status: 400, body: 'The data of the event is not valid JSON.' };
      return reply(await engine.raiseEvent(id, name, text));
    case 'terminate':
      return reply(await engine.terminate(id, query.get('reason') ?? ''));
    case 'suspend':
      return reply(await engine.suspend(id));
    case 'resume':
      return reply(await engine.resume(id));
    case 'rewind':
      return { status: 501, body: 'Rewinding is not supported by this host.' };
    default:
      return { status: 404 };
  }
}

function reply(outcome: Outcome): Reply {
  return { status: outcome === 'accepted' ? 202 : outcome === 'ended' ? 410 : 404 };
}

function status(engine: DurableEngine, id: string, query: URLSearchParams): Reply {
  const instance = engine.get(id);
  if (instance === undefined) return { status: 404 };
  return { status: hasEnded(instance) ? 200 : 202, body: describe(instance, query) };
}

function list(engine: DurableEngine, query: URLSearchParams): Reply {
  const found = [...engine.all()].filter((instance) => matches(instance, query));
  return { status: 200, body: found.map((instance) => describe(instance, query)) };
}

async function purge(engine: DurableEngine, id: string | undefined, query: URLSearchParams): Promise<Reply> {
  const ids = id
    ? [id]
    : [...engine.all()].filter((instance) => matches(instance, query)).map((instance) => instance.id);
  const purged = await Promise.all(ids.map((each) => engine.purge(each)));
  const instancesDeleted = purged.filter(Boolean).length;
  return instancesDeleted > 0 ? { status: 200, body: { instancesDeleted } } : { status: 404 };
}

function matches({ status, createdTime }: Instance, query: URLSearchParams): boolean {
  const statuses = query.get('runtimeStatus');
  const from = query.get('createdTimeFrom');
  const to = query.get('createdTimeTo');
  return (
    (statuses === null || statuses.split(',').includes(status)) &&
    (from === null || createdTime >= from) &&
    (to === null || createdTime <= to)
  );
}

function describe(instance: Instance, query: URLSearchParams): Record<string, unknown> {
  return {
    name: instance.name,
    instanceId: instance.id,
    runtimeStatus: instance.status,
    input: query.get('showInput') === 'false' ? null : JSON.parse(instance.input),
    customStatus: JSON.parse(instance.customStatus),
    output: JSON.parse(instance.output),
    createdTime: instance.createdTime,
    lastUpdatedTime: instance.lastUpdatedTime,
    historyEvents: query.get('showHistory') === 'true' ? instance.history : null,
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
