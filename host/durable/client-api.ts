import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf } from '../host-error.ts';
import { readBody } from '../http/body.ts';
import { writeLog } from '../log.ts';
import type { DurableEngine } from './engine.ts';
import { ENDED, hasEnded, type Instance } from './instance.ts';

/** The largest input of an orchestration, in bytes. */
const BODY_LIMIT = 64 * 1024 * 1024;

interface Reply {
  status: number;
  body?: unknown;
}

export interface ClientApi {
  /** The address for the durable client in the app. It contains a random token that every call needs. */
  readonly rpcBaseUrl: string;
  stop(): Promise<void>;
}

/** The HTTP interface of the durable client binding, on a loopback port of its own that only the app knows. */
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
  const [kind, name = '', action = ''] = url.pathname.slice(base.length).split('/').map(decodeURIComponent);
  const body = await readBody(request, BODY_LIMIT);
  if (body === undefined) return { status: 413, body: `The input is larger than ${BODY_LIMIT} bytes.` };
  const call = `${request.method} ${kind}`;
  if (call === 'POST orchestrators') return startNew(engine, name, action, body.toString());
  if (call === 'GET instances' && name !== '') return status(engine, name, url.searchParams);
  if (call === 'DELETE instances' && name === '') return purge(engine, url.searchParams);
  if (call === 'POST instances' && action === 'terminate') return terminate(engine, name, url.searchParams);
  return {
    status: 501,
    body: `This host does not support this request of the durable client: ${call} ${action}`.trim(),
  };
}

async function startNew(engine: DurableEngine, name: string, wantedId: string, text: string): Promise<Reply> {
  if (text !== '' && !isJson(text)) return { status: 400, body: 'The input is not valid JSON.' };
  const id = wantedId === '' ? randomUUID().replaceAll('-', '') : wantedId;
  const outcome = await engine.startNew(id, name, text === '' ? 'null' : text);
  if (outcome === 'no-such-function') return { status: 404, body: `The app has no orchestrator "${name}".` };
  if (outcome === 'exists') return { status: 409, body: `An instance "${id}" is already running.` };
  return { status: 202, body: { id } };
}

async function terminate(engine: DurableEngine, id: string, query: URLSearchParams): Promise<Reply> {
  const outcome = await engine.terminate(id, query.get('reason') ?? '');
  return { status: outcome === 'accepted' ? 202 : outcome === 'ended' ? 410 : 404 };
}

/** Purges by times of creation and by states. Without a first time, the real extension refuses it. */
async function purge(engine: DurableEngine, query: URLSearchParams): Promise<Reply> {
  const from = query.get('createdTimeFrom');
  if (from === null) return { status: 400, body: 'createdTimeFrom is missing.' };
  const to = query.get('createdTimeTo') ?? new Date().toISOString();
  const states = new Set(query.get('runtimeStatus')?.split(',') ?? ENDED);
  const instancesDeleted = await engine.purge({ from, to, states });
  return instancesDeleted === 0 ? { status: 404 } : { status: 200, body: { instancesDeleted } };
}

function status(engine: DurableEngine, id: string, query: URLSearchParams): Reply {
  const instance = engine.get(id);
  if (instance === undefined) return { status: 404 };
  return { status: hasEnded(instance) ? 200 : 202, body: describe(instance, query) };
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
    historyEvents: null,
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
