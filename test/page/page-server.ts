import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { HttpRequest } from '@azure/functions';
import { etagOf, isNotModified } from '#functions/http/not-modified.ts';
import { pageHandler } from '#functions/page.ts';
import { expectAsContracted } from '../support/app/contract.ts';

/** What the API answers to a call: a body, answered with 200; or a status with a body; or what it makes of the call. */
export type Canned =
  | object
  | { status: number; body?: unknown; headers?: Record<string, string> }
  | Raw
  | ((call: Call) => object);

/** What is in front of the app answers in its place, or nothing does. */
export interface Raw {
  raw: (response: ServerResponse) => void;
}

export interface Call {
  method: string;
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

/** Answers by method and path, as `GET /api/overview`. One without a query answers those with any. */
export type Answers = Readonly<Record<string, Canned>>;

const FOLDER = fileURLToPath(new URL('../../dist/page', import.meta.url));

/** Serves the built page as the app does, and canned answers in place of the API. Each must be as contracted. */
export class PageServer {
  readonly #server: Server;
  #answers: Answers = {};
  /** Calls that no answer was there for, and answers that the contract does not have. */
  readonly faults: string[] = [];
  readonly calls: Call[] = [];

  private constructor() {
    const page = pageHandler(FOLDER);
    this.#server = createServer(async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://page');
      const headers = new Headers(request.headers as Record<string, string>);
      if (!url.pathname.startsWith('/api/')) {
        const params = { path: url.pathname.replace(/^\/ui\/?/, '') };
        const answer = page({ params, headers } as unknown as HttpRequest);
        response.writeHead(answer.status ?? 200, answer.headers as Record<string, string>).end(answer.body);
        return;
      }
      const body = await text(request);
      const call: Call = {
        method: request.method ?? 'GET',
        path: url.pathname + url.search,
        headers: Object.fromEntries(headers),
        body: body === '' ? undefined : JSON.parse(body),
      };
      this.calls.push(call);
      const answer = this.#answer(call);
      if ('raw' in answer) return answer.raw(response);
      const content = answer.body === undefined ? '' : JSON.stringify(answer.body);
      const etag = etagOf(content);
      const isKnown = answer.status === 200 && isNotModified(headers.get('if-none-match'), etag);
      response.writeHead(isKnown ? 304 : answer.status, {
        'content-type': 'application/json',
        etag,
        ...answer.headers,
      });
      response.end(isKnown ? '' : content);
    });
  }

  static async start(): Promise<PageServer> {
    const server = new PageServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on, these are the answers. */
  answer(answers: Answers): void {
    this.#answers = answers;
    this.faults.length = 0;
    this.calls.length = 0;
  }

  #answer(call: Call): { status: number; body?: unknown; headers?: Record<string, string> } | Raw {
    const [pathname = ''] = call.path.split('?');
    const canned = this.#answers[`${call.method} ${call.path}`] ?? this.#answers[`${call.method} ${pathname}`];
    if (canned === undefined) {
      this.faults.push(`${call.method} ${call.path} has no answer`);
      return { status: 404, body: { code: 'not-canned' } };
    }
    const made: object = typeof canned === 'function' ? canned(call) : canned;
    if ('raw' in made) return made as Raw;
    const answer = isWithStatus(made) ? made : { status: 200, body: made };
    try {
      if (answer.body !== undefined) expectAsContracted(call.method, call.path, answer.status, answer.body);
    } catch (error) {
      this.faults.push(String(error));
    }
    return answer;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function isWithStatus(canned: object): canned is { status: number; body?: unknown; headers?: Record<string, string> } {
  return 'status' in canned && typeof canned.status === 'number';
}
