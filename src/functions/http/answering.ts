import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import type { Operation, ParamsOf, Parsed, Reply } from '#api/operation.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import type { Access } from '#config/access.ts';
import type { Permission } from '#domain/access/permission.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { authorize, type Caller, callerOf, checkPermission } from './caller.ts';
import { HttpError, problemResponse } from './http-error.ts';
import { etagOf, isNotModified } from './not-modified.ts';
import { readBody, readQuery, refuseLargeBody } from './read-request.ts';
import { endSharedAnswers } from './shared-answers.ts';
import { visibleJson } from './visible-json.ts';

/** A request as its operation describes it. */
export interface Asked<Op extends Operation> {
  params: ParamsOf<Op['path']>;
  query: Parsed<Op['query']>;
  body: Parsed<Op['body']>;
  /** Who calls. Where anyone may call, the app does not find out. */
  caller: Op['needs'] extends 'anyone' ? undefined : Caller;
  /**
   * Throws 403 unless the caller has the permission. An operation that needs one of several has to name the one: an
   * answer without this call is an error.
   */
  check(permission: Permission): void;
}

/** What the host calls. */
export type Handler = (
  request: HttpRequest,
  client: DurableClient,
  context: InvocationContext,
) => Promise<HttpResponseInit>;

/**
 * Serves an operation: checks the request, hands it over as the contract has it, and sends the answer. The only place
 * that sends errors over HTTP: without stack traces and without secrets.
 */
export function answering<Op extends Operation>(
  deps: Dependencies,
  operation: Op,
  answer: (asked: Asked<Op>, client: DurableClient) => Promise<Reply<Op>>,
): Handler {
  return async (request, client, context) => {
    try {
      const { call, isChecked } = await asked(request, operation, deps.configuration.access);
      const { status, body, headers } = await answer(call, client);
      if (!isChecked()) throw new Error(`${operation.method} ${operation.path} has checked no permission`);
      if (operation.method === 'POST') endSharedAnswers(deps);
      const { mediaType } = operation;
      const more = { 'cache-control': 'no-store', ...headers };
      const sent = mediaType === undefined ? json(status, body, more) : text(status, String(body), mediaType, more);
      return operation.method === 'GET' && status === 200 ? unlessKnown(request, sent) : sent;
    } catch (error) {
      if (error instanceof HttpError) return problemResponse(error);
      if (isStorageError(error)) {
        const code = problemCodeOf(error, 'destination');
        const status = isStorageError(error, 'unreachable', 'throttled', 'being-deleted') ? 503 : 502;
        return problemResponse(new HttpError(status, code, error.message, PROBLEMS[code].hint));
      }
      deps.telemetry.failure(context.functionName, error, {});
      const hint = `The log of the app has the details: search for invocation ${context.invocationId}`;
      return problemResponse(new HttpError(500, 'internal', 'An unexpected error occurred', hint));
    }
  };
}

async function asked<Op extends Operation>(
  request: HttpRequest,
  operation: Op,
  access: Access | undefined,
): Promise<{ call: Asked<Op>; isChecked(): boolean }> {
  const { needs } = operation;
  const caller = needs === 'anyone' ? undefined : callerOf(request, access);
  authorize(needs, caller, access);
  await refuseLargeBody(request);
  const query = readQuery(request, operation.query);
  const body = operation.method === 'POST' ? await readBody(request, operation.body) : {};
  let checked = typeof needs === 'string';
  const check = (permission: Permission) => {
    checkPermission(permission, caller);
    checked = true;
  };
  const call = { params: request.params, query, body, caller, check } as Asked<Op>;
  return { call, isChecked: () => checked };
}

/** With its ETag, and without its body if the caller has it. */
function unlessKnown({ headers: asked }: HttpRequest, sent: ReturnType<typeof json>): HttpResponseInit {
  const etag = etagOf(sent.body);
  if (!isNotModified(asked.get('if-none-match'), etag)) return { ...sent, headers: { ...sent.headers, etag } };
  return { status: 304, headers: { 'cache-control': 'no-store', etag } };
}

/** An answer, with the types that the contract compares. */
export function reply<const Status extends number, const Body>(
  status: Status,
  body: Body,
  headers: Record<string, string> = {},
) {
  return { status, body, headers };
}

function text(status: number, body: string, mediaType: string, headers: Record<string, string>) {
  return { status, headers: { 'content-type': mediaType, ...headers }, body };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}) {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: visibleJson(body) };
}
