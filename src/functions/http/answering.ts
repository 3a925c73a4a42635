import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import type { DurableClient } from 'durable-functions';
import type { z } from 'zod';
import type { Dependencies } from '#app/dependencies.ts';
import { problemCodeOf } from '#app/problem-code.ts';
import { PROBLEMS } from '#domain/run/problems.ts';
import { isStorageError } from '#storage/storage-error.ts';
import { HttpError, problemResponse } from './http-error.ts';
import { visibleJson } from './visible-json.ts';

/** The Functions host takes bodies of 100 MB. The largest request of this API is a list of names. */
const MAX_BODY_BYTES = 1024 * 1024;

export type Handler = (request: HttpRequest, client: DurableClient) => Promise<HttpResponseInit>;

/** The only place that sends errors over HTTP: without stack traces and without secrets. */
export function answering(deps: Dependencies, handler: Handler) {
  return async (request: HttpRequest, client: DurableClient, context: InvocationContext): Promise<HttpResponseInit> => {
    try {
      await refuseLargeBody(request);
      const response = await handler(request, client);
      return { ...response, headers: { 'cache-control': 'no-store', ...response.headers } };
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

/** Throws 413, also where a handler reads no body. */
async function refuseLargeBody(request: HttpRequest): Promise<void> {
  if (!request.body) return;
  // A body in chunks does not say its length.
  const announced = request.headers.get('content-length');
  const bytes = announced === null ? (await request.clone().arrayBuffer()).byteLength : Number(announced);
  if (bytes <= MAX_BODY_BYTES) return;
  throw new HttpError(413, 'body-too-large', `The body has ${bytes} bytes`, `Send at most ${MAX_BODY_BYTES} bytes`);
}

/** The request's JSON body; an empty one counts as `{}`. Throws 400 with every problem of it. */
export async function readBody<Schema extends z.ZodType>(
  request: HttpRequest,
  schema: Schema,
): Promise<z.output<Schema>> {
  const text = await request.text();
  let value: unknown = {};
  if (text.trim() !== '') {
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new HttpError(
        400,
        'body-not-json',
        `The body is not JSON: ${(error as Error).message}`,
        'Send a JSON object, or an empty body',
      );
    }
  }
  return check(schema, value, 'body-invalid', 'body');
}

/** The request's query parameters; an empty one counts as absent. Throws 400 with every problem of them. */
export function readQuery<Schema extends z.ZodType>(request: HttpRequest, schema: Schema): z.output<Schema> {
  checkRepeated(request);
  const values = Object.fromEntries([...request.query].filter(([, value]) => value !== ''));
  // The host reads the function key, which may be here.
  delete values.code;
  return check(schema, values, 'query-invalid', 'query');
}

/** The worker joins the values of a repeated parameter by commas, and the address still has them apart. */
function checkRepeated({ url, query }: HttpRequest): void {
  const names = [...(URL.canParse(url) ? new URL(url).searchParams : query).keys()];
  const repeated = names.find((name, index) => names.indexOf(name) < index);
  if (repeated === undefined) return;
  throw new HttpError(400, 'query-invalid', `query.${repeated}: this parameter is there more than once`);
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown, code: string, what: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) => ({ path: [what, ...path].join('.'), message }));
  const detail = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new HttpError(400, code, detail, undefined, { errors });
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): HttpResponseInit {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: visibleJson(body) };
}
