import type { OperationId } from '#api/operations.ts';
import type { Answer, ApiError } from '../model/answer.ts';
import { key, refused } from './caller.ts';
import { queryText } from './router.ts';

/** Why a call has no answer. What the app says, or that it cannot be reached: then `status` is 0. */
export class CallError extends Error {
  readonly problem: ApiError;
  /** Milliseconds that the app asks to wait; undefined if it does not. */
  readonly retryAfter: number | undefined;
  /** What the app answered, if that was JSON: some answers 503 are reports. */
  readonly body: object | undefined;

  constructor(problem: ApiError, retryAfter?: number, body?: object) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfter = retryAfter;
    this.body = body;
  }
}

const ROOT = '/api/';
/**
 * A call that takes longer has been lost on its way, before its answer or within it. The app ends its work for one call
 * earlier: an overview after 20 seconds, a trial of retention after 30.
 */
const PATIENCE_MS = 45_000;
/** What the app works on for longer: it writes for a minute before it answers with what is left to do. */
const LONGER_MS: Partial<Record<OperationId, number>> = { rebuildCatalog: 120_000 };

/** The last answers, by address, with their ETags. */
const known = new Map<string, { etag: string; answer: unknown }>();
const MOST_KNOWN = 100;

type Query = Readonly<Record<string, string | number | undefined>>;

/**
 * Asks the API: `get('getRun', at`runs/${id}`, { containers: 'none' })`. An answer that has not changed since is the
 * same object. Throws a `CallError`.
 */
export async function get<Id extends OperationId>(
  operation: Id,
  path: string,
  query: Query = {},
  signal?: AbortSignal,
): Promise<Answer<Id>> {
  const text = queryText(query);
  const address = ROOT + path + (text === '' ? '' : `?${text}`);
  const before = known.get(address);
  const { response, body: answer } = await call(operation, address, {
    headers: before ? { 'if-none-match': before.etag } : {},
    ...(signal && { signal }),
  });
  if (before && response.status === 304) return before.answer as Answer<Id>;
  const etag = response.headers.get('etag');
  known.delete(address);
  if (etag !== null) known.set(address, { etag, answer });
  for (const [oldest] of known) if (known.size > MOST_KNOWN) known.delete(oldest);
  return answer as Answer<Id>;
}

/** Sends something to the API. Throws a `CallError`. */
export async function post<Id extends OperationId>(
  operation: Id,
  path: string,
  body: unknown = {},
): Promise<Answer<Id>> {
  const { body: answer } = await call(operation, ROOT + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-strongroom': '1' },
    body: JSON.stringify(body),
  });
  return answer as Answer<Id>;
}

/** Forgets what other callers were answered. */
export function forgetAnswers(): void {
  known.clear();
}

async function call(
  operation: OperationId,
  address: string,
  init: RequestInit & { headers: Record<string, string> },
): Promise<{ response: Response; body: object | undefined }> {
  const sent = key.peek();
  const patience = LONGER_MS[operation] ?? PATIENCE_MS;
  const late = AbortSignal.timeout(patience);
  let response: Response;
  let text: string;
  try {
    response = await fetch(address, {
      ...init,
      headers: { ...init.headers, ...(sent !== null && { 'x-functions-key': sent }) },
      signal: init.signal ? AbortSignal.any([init.signal, late]) : late,
      // The answers have ETags, and `known` has them.
      cache: 'no-store',
      redirect: 'error',
    });
    // The connection may end within the answer, too.
    text = await response.text();
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new CallError(late.aborted ? lateBy(patience, operation, init.method) : OUT_OF_REACH);
  }
  const body = bodyOf(text);
  const isUnchanged = response.status === 304 && 'if-none-match' in init.headers;
  if (isUnchanged || (response.ok && body !== undefined)) return { response, body };
  const error = new CallError(problemOf(response, body), retryAfterOf(response), body);
  if (response.status === 401 && key.peek() === sent) refused(error.problem, sent);
  throw error;
}

function bodyOf(text: string): object | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    // Not JSON: it is not the app that has answered.
    return undefined;
  }
}

const OUT_OF_REACH: ApiError = {
  type: 'about:blank',
  title: 'Out of reach',
  status: 0,
  code: 'out-of-reach',
  detail: 'The app does not answer',
  hint: 'Check that the app runs, and that this device is connected to its network.',
};

/** These change nothing, though they are sent as what changes something is. */
const ONLY_LOOK: ReadonlySet<OperationId> = new Set(['previewRestore', 'checkConfiguration', 'checkRights']);

/** It is not known whether the app still does what it was asked to do. */
function lateBy(ms: number, operation: OperationId, method = 'GET'): ApiError {
  const detail = `The app has not answered within ${ms / 1000} seconds`;
  if (method === 'GET' || ONLY_LOOK.has(operation)) return { ...OUT_OF_REACH, detail };
  return {
    ...OUT_OF_REACH,
    detail,
    hint: 'It may still do what you asked for: look whether it has, before you try again.',
  };
}

/** What the app says. The platform in front of it answers without a body, or with one of its own. */
function problemOf({ status, statusText }: Response, body: object | undefined): ApiError {
  if (body !== undefined && 'code' in body && typeof body.code === 'string') {
    const problem = body as ApiError;
    return { ...problem, status, detail: problem.detail ?? problem.hint ?? problem.code };
  }
  if (status === 401) {
    const hint = 'Enter a key of the app.';
    return { type: 'about:blank', title: 'Sign-in needed', status, code: 'sign-in-needed', detail: 'No key', hint };
  }
  if (status < 400) return { ...OUT_OF_REACH, detail: 'Something other than the app has answered' };
  return {
    ...{ type: 'about:blank', title: statusText || 'Problem', status, code: `http-${status}` },
    detail: `The app answered with ${status} and said no more`,
    hint: status === 404 ? 'It may be of an earlier version, or the address is wrong.' : 'Try again.',
  };
}

function retryAfterOf({ headers }: Response): number | undefined {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
