import type { z } from 'zod';
import type { Operation, ParamsOf } from '#api/operation.ts';
import type { OPERATIONS, OperationId } from '#api/operations.ts';
import { UsageError } from '../cli-error.ts';
import { sizeOf } from '../print/amounts.ts';
import { visible } from '../print/visible.ts';
import { Refusal, Unreachable } from './refusal.ts';
import type { Credentials } from './sign-in.ts';

type Contract = typeof OPERATIONS;
type InputOf<Schema> = Schema extends z.ZodType ? z.input<Schema> : never;
type QueryOf<Op> = Op extends { readonly query: infer Query } ? InputOf<Query> : never;
type BodyOf<Op> = Op extends { readonly body: infer Body } ? InputOf<Body> : never;
type OutputOf<Op extends Operation> = {
  [Status in keyof Op['answers'] & (200 | 202)]: z.output<Op['answers'][Status]>;
}[keyof Op['answers'] & (200 | 202)];

/** What an operation answers if it succeeds. */
export type AnswerOf<Id extends OperationId> = OutputOf<Contract[Id]>;

export interface Answer<Body> {
  /** As it came. */
  bytes: Uint8Array;
  body: Body;
}

/** What a query may have under a name: numbers are written with digits. */
type Given<Value> = Value | undefined | (string extends Value ? number : never);

interface Request<Id extends OperationId> {
  params?: ParamsOf<Contract[Id]['path']>;
  query?: { [Name in keyof QueryOf<Contract[Id]>]?: Given<NonNullable<QueryOf<Contract[Id]>[Name]>> };
  body?: BodyOf<Contract[Id]>;
}

export interface ApiOptions {
  url: URL;
  credentials: () => Promise<Credentials>;
  /** Why this address, and what to do if it does not answer. */
  where: string;
  signal: AbortSignal;
  /** Bytes that an answer may have. */
  mostBytes?: number;
}

/** Milliseconds until an answer must be there. The front end of Azure waits 230 s. */
const PATIENCE = 240_000;
/** No answer of an app is nearly as large; a text of more than 512 MiB would not fit into memory. */
const MOST_BYTES = 256 * 2 ** 20;

/** The HTTP API of an app. Its types are those of the contract. */
export class Api {
  readonly #options: ApiOptions;
  #credentials: Promise<Credentials> | undefined;
  /** Whether the app has taken these credentials. */
  #isSignedIn = false;

  constructor(options: ApiOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#options.url.href;
  }

  /** Calls an operation. Throws Refusal for an answer that is not a success, and Unreachable without one. */
  async call<Id extends OperationId>(
    method: Contract[Id]['method'],
    path: Contract[Id]['path'],
    { params, query, body }: Request<Id> = {},
  ): Promise<Answer<AnswerOf<Id>>> {
    const filled = filledPath(path, (params ?? {}) as Record<string, string>);
    const search = new URLSearchParams(
      Object.entries(query ?? {}).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] as [string, string]],
      ),
    );
    const isPost = method === 'POST';
    const target = `/api/${filled}${search.size > 0 ? `?${search}` : ''}`;
    const { bytes } = await this.send(method, target, isPost ? JSON.stringify(body ?? {}) : undefined);
    return { bytes, body: parsed(bytes) as AnswerOf<Id> };
  }

  /** Sends a request to a path of the app, and to no other place. */
  async send(method: string, path: string, body?: string | Uint8Array): Promise<{ bytes: Uint8Array; status: number }> {
    const target = this.#within(path);
    try {
      return await this.#sendOnce(method, target, body);
    } catch (error) {
      // A token ends after about an hour, and a wait may be longer. What is refused so has done nothing.
      if (!(error instanceof Refusal) || error.status !== 401 || !this.#isSignedIn) throw error;
      this.#credentials = undefined;
      this.#isSignedIn = false;
      return this.#sendOnce(method, target, body);
    }
  }

  async #sendOnce(method: string, target: URL, body: string | Uint8Array | undefined) {
    const response = await this.#fetch(target, {
      method,
      headers: { ...(await this.#signedIn()), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
    });
    const { status } = response;
    if (status >= 300 && status < 400) throw this.#redirected(status, response.headers.get('location'));
    const bytes = await this.#read(response, method);
    if (status < 200 || status >= 300) throw new Refusal(status, bytes);
    this.#isSignedIn = true;
    return { bytes, status };
  }

  async #read(response: Response, method: string): Promise<Uint8Array> {
    const { mostBytes = MOST_BYTES } = this.#options;
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of response.body ?? []) {
        chunks.push(chunk);
        size += chunk.length;
        if (size > mostBytes) break;
      }
    } catch (error) {
      throw this.#unreachable(error, method);
    }
    if (size > mostBytes) {
      throw new Unreachable(
        `The answer of ${this.#options.url.origin} has more than ${sizeOf(mostBytes)}, so it was not read to ` +
          'its end. If that is the app, ask for less, as with --limit.',
      );
    }
    return Buffer.concat(chunks);
  }

  #signedIn(): Promise<Credentials> {
    this.#credentials ??= this.#options.credentials();
    return this.#credentials;
  }

  /** A key goes to the address that a person chose alone. */
  #within(path: string): URL {
    const { url } = this.#options;
    const target = urlOf(url.pathname.replace(/\/+$/, '') + path, url);
    if (target?.origin !== url.origin || !path.startsWith('/') || /^[/\\]{2}/.test(path)) {
      throw new UsageError(`${JSON.stringify(path)} is not a path of the app. Write one such as /api/runs.`);
    }
    return target;
  }

  async #fetch(target: URL, init: RequestInit): Promise<Response> {
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(PATIENCE)]);
    try {
      return await fetch(target, { ...init, redirect: 'manual', signal });
    } catch (error) {
      throw this.#unreachable(error, init.method);
    }
  }

  #unreachable(error: unknown, method: string | undefined): unknown {
    if (this.#options.signal.aborted) return this.#options.signal.reason;
    // Nothing is sent twice: the app may have done what was asked, and only its answer is lost.
    const remark =
      method === 'POST' && !NEVER_SENT.has(codeOf(error) ?? '')
        ? '\nThe app may have done what was asked all the same. Look before you repeat it: strongroom runs list'
        : '';
    const what = `Cannot reach ${this.#options.url.origin}: ${reasonOf(error)}`;
    return new Unreachable(`${what}\n${this.#options.where}${remark}`);
  }

  #redirected(status: number, location: string | null): Unreachable {
    const to = location === null ? undefined : urlOf(location, this.#options.url);
    return new Unreachable(
      `${this.#options.url.origin} answers HTTP ${status} and points to ${to?.origin ?? 'another address'}. Nothing ` +
        `was sent there: a key goes only to the address that you choose. If that is the app, give its address.\n` +
        this.#options.where,
    );
  }
}

function urlOf(text: string, base: URL): URL | undefined {
  return URL.canParse(text, base.href) ? new URL(text, base) : undefined;
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens at this address',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'the connection timed out',
  ECONNRESET: 'the connection was closed',
  UND_ERR_SOCKET: 'the connection was closed',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

/** Why there was no connection to send anything on. */
const NEVER_SENT = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'],
  ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED'],
]);

interface Caused {
  cause?: { code?: string; message?: string; errors?: { code?: string }[] };
}

function codeOf(error: unknown): string | undefined {
  const { cause } = error as Caused;
  return cause?.code ?? cause?.errors?.[0]?.code;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${PATIENCE / 1000} s`;
  const code = codeOf(error);
  const { cause } = error as Caused;
  return (code && REASONS[code]) || (cause?.message && visible(cause.message)) || code || 'the request failed';
}

function parsed(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new Unreachable(
      `The answer is not JSON, so something else than Strongroom has answered: ${visible(text.trim().slice(0, 200))}`,
    );
  }
}

/** A path with its parameters. One that would name another call is refused. */
export function filledPath(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name] ?? '';
    if (/^\.{0,2}$/.test(value)) throw new UsageError(`${JSON.stringify(value)} is not a name or an id.`);
    return encodeURIComponent(value);
  });
}
