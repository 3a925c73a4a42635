import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import type { Operation, ParamsOf, Parsed, Reply } from '#api/operation.ts';
import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { HttpError, problemResponse } from './http-error.ts';
import { readBody, readQuery, refuseLargeBody } from './read-request.ts';
import { visibleJson } from './visible-json.ts';

/** A request as its operation describes it. */
export interface Asked<Op extends Operation> {
  params: ParamsOf<Op['path']>;
  query: Parsed<Op['query']>;
  body: Parsed<Op['body']>;
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
      const { status, body, headers } = await answer(await asked(request, operation), client);
      return json(status, body, { 'cache-control': 'no-store', ...headers });
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

async function asked<Op extends Operation>(request: HttpRequest, operation: Op): Promise<Asked<Op>> {
  await refuseLargeBody(request);
  const query = readQuery(request, operation.query);
  const body = operation.method === 'POST' ? await readBody(request, operation.body) : {};
  return { params: request.params, query, body } as Asked<Op>;
}

/** An answer, with the types that the contract compares. */
export function reply<const Status extends number, const Body>(
  status: Status,
  body: Body,
  headers: Record<string, string> = {},
) {
  return { status, body, headers };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): HttpResponseInit {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: visibleJson(body) };
}
