import type { z } from 'zod';
import type { Operation, ParamsOf } from '#api/operation.ts';
import type { OPERATIONS, OperationId } from '#api/operations.ts';
import { UsageError } from '../cli-error.ts';
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
}

/** Milliseconds until an answer must be there. The front end of Azure waits 230 s. */
const PATIENCE = 240_000;

/** The HTTP API of an app. Its types are those of the contract. */
export class Api {
  readonly #options: ApiOptions;
  #credentials: Promise<Credentials> | undefined;

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
    const response = await this.#fetch(this.#within(path), {
      method,
      headers: { ...(await this.#signedIn()), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body }),
    });
    const { status } = response;
    if (status >= 300 && status < 400) throw this.#redirected(status, response.headers.get('location'));
    const bytes = await response.arrayBuffer().catch((error) => {
      throw this.#unreachable(error);
    });
    if (status < 200 || status >= 300) throw new Refusal(status, new Uint8Array(bytes));
    return { bytes: new Uint8Array(bytes), status };
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
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): unknown {
    if (this.#options.signal.aborted) return this.#options.signal.reason;
    return new Unreachable(`Cannot reach ${this.#options.url.origin}: ${reasonOf(error)}\n${this.#options.where}`);
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

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${PATIENCE / 1000} s`;
  const { cause } = error as { cause?: { code?: string; message?: string; errors?: { code?: string }[] } };
  const code = cause?.code ?? cause?.errors?.[0]?.code;
  return (code && REASONS[code]) || cause?.message || code || 'the request failed';
}

function parsed(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw new Unreachable(
      `The answer is not JSON, so something else than Strongroom has answered: ${text.slice(0, 200)}`,
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
