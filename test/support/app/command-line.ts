import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { run } from '../../../cli/run.ts';

export interface LineOptions {
  /** Columns of the terminal; without it, the output goes into a pipe. */
  columns?: number;
  /** What the person types, line by line. Needs `columns`. */
  types?: string;
  /** What standard input has, if it is no terminal. */
  stdin?: string;
  /** Standard input has nothing, and does not end. */
  isStdinOpen?: boolean;
  env?: Record<string, string>;
  cwd?: string;
  platform?: NodeJS.Platform;
  interrupted?: AbortSignal;
  /** What reads the output closes its end after so many writes. */
  closesAfter?: number;
  now?: () => Date;
}

export interface LineResult {
  code: number;
  stdout: string;
  stderr: string;
}

class Screen extends Writable {
  text = '';
  isTTY: boolean;
  columns: number | undefined;
  #writesLeft: number;

  constructor(columns: number | undefined, closesAfter = Number.POSITIVE_INFINITY) {
    super();
    this.isTTY = columns !== undefined;
    this.columns = columns;
    this.#writesLeft = closesAfter;
    this.on('error', () => {});
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    const isClosed = this.#writesLeft-- <= 0;
    if (!isClosed) this.text += chunk.toString();
    done(isClosed ? Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }) : undefined);
  }
}

/** Runs a command line in this process, with a home directory that has nothing. */
export async function commandLine(argv: readonly string[], options: LineOptions = {}): Promise<LineResult> {
  const home = mkdtempSync(join(tmpdir(), 'strongroom-home-'));
  const [stdout, stderr] = [new Screen(options.columns, options.closesAfter), new Screen(options.columns)];
  const isTerminal = options.types !== undefined;
  const given = options.isStdinOpen
    ? new Readable({ read() {} })
    : Readable.from([options.types ?? options.stdin ?? '']);
  const stdin = Object.assign(given, { isTTY: isTerminal });
  try {
    const code = await run(argv, {
      env: { NO_COLOR: '1', ...options.env },
      cwd: options.cwd ?? home,
      home,
      platform: options.platform ?? 'linux',
      ...{ stdin, stdout, stderr },
      interrupted: options.interrupted ?? new AbortController().signal,
      now: options.now ?? (() => new Date('2026-11-22T12:00:00Z')),
    });
    return { code, stdout: stdout.text, stderr: stderr.text };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

export interface CannedAnswer {
  status?: number;
  /** Sent as it is if it is a text, otherwise as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** The connection ends instead of an answer. */
  isLost?: boolean;
}

export interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A server that gives the answers of an app, and keeps what it was asked. */
export interface CannedApp {
  url: string;
  asked: Asked[];
  stop(): Promise<void>;
}

/** `answer` gets `GET /api/runs?limit=20` and the body. */
export async function cannedApp(
  answer: (call: string, body: string) => CannedAnswer | undefined | Promise<CannedAnswer | undefined>,
): Promise<CannedApp> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString();
    const { method = '', url = '', headers } = request;
    asked.push({ method, url, headers, body });
    const found = await answer(`${method} ${url}`, body);
    if (found?.isLost) return void request.socket.destroy();
    // As the host answers a call that it does not have.
    const { status = found ? 200 : 404, headers: more = {}, body: given } = found ?? {};
    response.writeHead(status, { 'content-type': 'application/json', ...more });
    response.end(given === undefined ? '' : typeof given === 'string' ? given : JSON.stringify(given));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...{ url, asked },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
